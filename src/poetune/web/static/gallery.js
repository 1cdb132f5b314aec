// The gallery: the server finds and shows the poems; here the filters answer at once.

import "./frame.js";

const filters = document.getElementById("filters");
filters.addEventListener("change", (event) => event.target.type !== "search" && filters.requestSubmit());
filters.addEventListener("submit", () => {
  for (const field of filters.elements) if (!field.value) field.disabled = true; // keeps the address short
});
addEventListener("pageshow", () => {
  for (const field of filters.elements) field.disabled = false;
});
