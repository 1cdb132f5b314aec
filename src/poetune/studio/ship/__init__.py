"""Out of the house: bundles that were loaded again, their cards, the hub, Ollama, and the chapbook."""

from poetune.studio.ship.bundles import Shipped, check_place, ship
from poetune.studio.ship.chapbooks import Printed, chapbook

__all__ = ["Printed", "Shipped", "chapbook", "check_place", "ship"]
