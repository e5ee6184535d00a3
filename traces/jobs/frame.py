"""A data-frame job: orders joined with customers, grouped, pivoted, sorted and written as text."""

import numpy as np
import pandas as pd

chance = np.random.default_rng(1)
orders = pd.DataFrame(
    {
        "customer": chance.zipf(1.3, 60_000) % 4_000,
        "day": chance.integers(0, 365, 60_000),
        "item": chance.choice([f"item-{number:04}" for number in range(500)], 60_000),
        "price": chance.gamma(2.0, 12.0, 60_000).round(2),
    }
)
customers = pd.DataFrame({"customer": np.arange(4_000), "region": chance.choice(list("NESW"), 4_000)})
joined = orders.merge(customers, on="customer")
joined["month"] = joined["day"] // 31
print(joined.groupby(["region", "month"])["price"].agg(["sum", "mean", "count"]).round(2).tail())
table = joined.pivot_table(index="item", columns="region", values="price", aggfunc="sum")
print(table.sort_values("N").head())
best = joined.sort_values(["customer", "price"]).groupby("customer").tail(3)
print(len(best), len(best.to_csv()))
