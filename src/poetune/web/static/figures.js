// The figures: everything is in the page already.

import "./frame.js";
