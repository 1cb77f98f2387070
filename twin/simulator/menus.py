"""Brands with their items, and the baskets that customers order."""

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from twin.simulator.config import KitchenConfig
from twin.simulator.geometry import Floats, Ints

SINGLE_BRAND = 0.7
"""Share of baskets from one brand. The others are drawn from 2 to 4 brands, possibly the same one twice, as in the generator."""

BRANDS_2025 = 15
ITEMS_2026 = 8
"""Items per brand at most: the canonical generation has more brands with fewer items each."""


@dataclass(frozen=True, slots=True)
class Menu:
    """The dimension tables of a generation, and the same items in the form that baskets are made from.

    brand_items: (n_brands, longest) int64 row numbers of items, padded with -1; heads: the JSON of each item up to its
    quantity.
    """

    tables: dict[str, pa.Table]
    brand_items: Ints
    heads: tuple[str, ...]


@lru_cache(maxsize=2)
def menu(generation: str) -> Menu:
    """Return the menu of a generation: 15 brands with 144 items (2025), or 24 with 181 (2026)."""
    raw = json.loads(resources.files("twin.simulator").joinpath("menus.json").read_text(encoding="utf-8"))["brands"]
    canonical = generation == "2026"
    brands = [{**brand, "items": brand["items"][:ITEMS_2026]} for brand in raw] if canonical else raw[:BRANDS_2025]
    names = list(dict.fromkeys(item[0] for brand in brands for item in brand["items"]))
    category_id: dict[str, int | str] = {
        name: number if canonical else name for number, name in enumerate(names, start=1)
    }
    items: list[dict[str, Any]] = []
    rows: list[range] = []
    for number, brand in enumerate(brands, start=1):
        rows.append(range(len(items), len(items) + len(brand["items"])))
        items += [
            {
                "id": len(items) + k,
                "category_id": category_id[category],
                "menu_id": number,
                "brand_id": number,
                "name": name,
                "price": price,
            }
            for k, (category, name, price) in enumerate(brand["items"], start=1)
        ]
    brand_items = np.full((len(rows), max(map(len, rows))), -1, dtype=np.int64)
    for number, row in enumerate(rows):
        brand_items[number, : len(row)] = row
    key = "brand_id" if canonical else "id"
    tables = {
        "brands": pa.Table.from_pylist(
            [{key: n, "name": b["name"], "cuisine": b["cuisine"]} for n, b in enumerate(brands, start=1)]
        ),
        "menus": pa.Table.from_pylist(
            [{"id": n, "brand_id": n, "name": f"{b['name']} menu"} for n, b in enumerate(brands, start=1)]
        ),
        "categories": pa.Table.from_pylist(
            [{"id": category_id[name], "name": name.replace("_", " ").capitalize()} for name in names]
        ),
        "items": pa.Table.from_pylist(items),
    }
    return Menu(tables, brand_items, tuple(json.dumps(item)[:-1] + ', "qty": ' for item in items))


def brand_weights(kitchen: KitchenConfig, brands: int, day: int, rng: np.random.Generator) -> Floats:
    """Return (brands,) the probability of each brand `day` days into the demo: growth and decline compound every 30 days.

    rng decides which brands grow or decline: it must be in the same state for every day of a kitchen.
    """
    order = rng.permutation(brands)
    improving = order[: int(kitchen.improving * brands)]
    declining = order[int((kitchen.improving + kitchen.flat) * brands) :]
    weights = np.ones(brands)
    weights[improving] = (1.0 + kitchen.growth) ** (day / 30.0)
    weights[declining] = (1.0 - kitchen.decline) ** (day / 30.0)
    return weights / weights.sum()


def baskets(menu: Menu, orders: int, weights: Floats, rng: np.random.Generator) -> tuple[Ints, Ints, Ints]:
    """Return the lines of `orders` baskets as columns (order, item row, quantity), ascending by order."""
    brands = np.where(rng.random(orders) < SINGLE_BRAND, 1, rng.integers(2, 5, orders))
    order = np.repeat(np.arange(orders), brands)
    brand = rng.choice(len(weights), size=len(order), p=weights)
    choice = menu.brand_items[brand]
    # A sample without replacement: the first places of a random permutation of the brand's items.
    shuffled = np.argsort(np.where(choice >= 0, rng.random(choice.shape), np.inf), axis=1)
    wanted = np.minimum(rng.integers(1, 5, len(order)), (choice >= 0).sum(axis=1))
    taken = np.arange(choice.shape[1]) < wanted[:, None]
    item = np.take_along_axis(choice, shuffled, axis=1)[taken]
    return np.repeat(order, wanted), item, rng.integers(1, 4, len(item))


def basket_texts(menu: Menu, orders: int, order: Ints, item: Ints, quantity: Ints) -> list[str]:
    """Return the JSON array of each order's items."""
    lines = [f"{menu.heads[i]}{q}}}" for i, q in zip(item.tolist(), quantity.tolist(), strict=True)]
    ends = np.searchsorted(order, np.arange(orders + 1)).tolist()
    return [f"[{', '.join(lines[a:b])}]" for a, b in pairwise(ends)]
