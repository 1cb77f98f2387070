"""Data frames that do more than others: trajectories know their geometry, moments have cards."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pandas as pd

from twin.notebook.cards import FoundMoment

if TYPE_CHECKING:
    import geopandas as gpd

CRS = "EPSG:4326"


class DrawnTable(pd.DataFrame):
    """A data frame of a class of its own that hvPlot draws, which takes pandas' own class only (it goes by the module's name)."""

    @property
    def hvplot(self) -> Any:
        """What hvPlot draws of it, after `import hvplot.pandas`."""
        return pd.DataFrame(self).hvplot

    @property
    def interactive(self) -> Any:
        """The same, with widgets in it."""
        return pd.DataFrame(self).interactive


class TrajectoryTable(DrawnTable):
    """Trajectories as a data frame, of which GeoPandas makes points and movingpandas lines.

    >>> k = twin.open("demo").kitchen("sanfrancisco", day="2025-10-16")
    >>> type(k.trajectories("1min").query("speed > 5")).__name__
    'TrajectoryTable'
    """

    @property
    def _constructor(self) -> Callable[..., "TrajectoryTable"]:
        return TrajectoryTable

    def to_geopandas(self) -> "gpd.GeoDataFrame":
        """Return a GeoDataFrame (EPSG:4326) with a point for each row, in place of lat and lon.

        `movingpandas.TrajectoryCollection(table, "order", t="t")` takes it as it is: its times are UTC without a zone if the
        kitchen has a zone, as movingpandas wants them, else as they are. Needs the `geo` extra; raises ImportError, with what to
        install.
        """
        try:
            import geopandas as gpd  # noqa: PLC0415  # optional: the geo extra
        except ImportError as error:
            raise ImportError(
                "to_geopandas needs GeoPandas, which is not installed: pip install 'caspers-twin[geo]'."
            ) from error
        plain = pd.DataFrame(self)
        if plain["t"].dt.tz is not None:
            plain["t"] = plain["t"].dt.tz_convert("UTC").dt.tz_localize(None)
        points = gpd.points_from_xy(plain["lon"], plain["lat"], crs=CRS)
        return gpd.GeoDataFrame(plain.drop(columns=["lat", "lon"]), geometry=points)


class MomentTable(DrawnTable):
    """The moments as a data frame; a whole number gives one of them, which has a card: `k.moments[0].card()`.

    Whatever is made of it (a selection, a copy) is a plain data frame.
    """

    @classmethod
    def of(cls, table: pd.DataFrame, moments: list[FoundMoment]) -> "MomentTable":
        """Return the `table` of moments."""
        made = cls(table)
        object.__setattr__(made, "_found", moments)
        return made

    @property
    def _constructor(self) -> Callable[..., pd.DataFrame]:
        return pd.DataFrame

    def __getitem__(self, key: Any) -> Any:
        """Return a moment for a whole number, as of a list; else what a data frame returns."""
        found: list[FoundMoment] = self.__dict__.get("_found", [])
        return found[key] if isinstance(key, int) and not isinstance(key, bool) else super().__getitem__(key)
