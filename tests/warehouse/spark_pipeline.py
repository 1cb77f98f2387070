"""Runs the pipeline in Spark, as a process of its own: `python -m tests.warehouse.spark_pipeline FOLDER`.

FOLDER/plan.json lists raw tables by name: their Parquet files, one for each update, and the configuration. Every table that the
pipeline makes is left as Parquet in FOLDER/name/table. From version 4.1 on Spark runs pipelines itself; before, the same queries
run one after another as batches.
"""

import importlib
import importlib.util
import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

HAS_PIPELINES = importlib.util.find_spec("pyspark.pipelines") is not None

SESSION = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "1",
    # few rows, long expressions: to compile them would take nearly all of the time
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}
PROCESS = {
    "spark.sql.catalogImplementation": "in-memory",
    "spark.ui.enabled": "false",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.memory": "1g",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.log.level": "ERROR",
}


def main(folder: Path) -> None:
    """Run all updates of all pipelines of the plan."""
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    builder = SparkSession.builder
    builder = builder.remote("local[2]") if HAS_PIPELINES else builder.master("local[2]")
    for name, value in {**SESSION, **PROCESS, "spark.sql.warehouse.dir": str(folder / "warehouse")}.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    for name, plan in json.loads((folder / "plan.json").read_text("utf-8")).items():
        spark.sql(f"CREATE DATABASE {name}").collect()
        for update, raw in enumerate(plan["raw"]):
            rows = f"SELECT * FROM parquet.`{raw}`"
            if update == 0:
                spark.sql(f"CREATE TABLE {name}.all_events USING parquet AS {rows}").collect()
            else:
                spark.sql(f"INSERT INTO {name}.all_events BY NAME {rows}").collect()
            if HAS_PIPELINES:
                _update(spark, folder / name, name, plan["files"], plan["configuration"])
            else:
                _batch(spark, name, plan["files"], plan["configuration"])
        for table in plan["tables"]:
            spark.sql(f"SELECT * FROM {name}.{table}").write.parquet(str(folder / name / table))
    spark.stop()


def _update(spark: Any, folder: Path, schema: str, files: list[str], configuration: Mapping[str, str]) -> None:
    """Run a pipeline once, as `spark-pipelines run` does, in the session that has its raw table."""
    elements = importlib.import_module("pyspark.pipelines.spark_connect_graph_element_registry")
    connect = importlib.import_module("pyspark.pipelines.spark_connect_pipeline")
    for key, value in configuration.items():  # the SQL is parsed with the session's configuration, run with the graph's
        spark.conf.set(key, value)
    settings = {**SESSION, **configuration}
    graph = connect.create_dataflow_graph(
        spark, default_catalog="spark_catalog", default_database=schema, sql_conf=settings
    )
    registry = elements.SparkConnectGraphElementRegistry(spark, graph)
    for file in files:
        registry.register_sql(_open(Path(file).read_text("utf-8")), Path(file))
    events = connect.start_run(
        spark,
        graph,
        full_refresh=[],
        full_refresh_all=False,
        refresh=[],
        dry=False,
        storage=(folder / "state").as_uri(),
    )
    connect.handle_pipeline_events(events)


def _batch(spark: Any, schema: str, files: list[str], configuration: Mapping[str, str]) -> None:
    spark.sql(f"USE {schema}")
    for file in files:
        text = re.sub(r"(?m)^--.*\n", "", _open(Path(file).read_text("utf-8"))).replace("FROM STREAM ", "FROM ")
        for key, value in configuration.items():
            text = text.replace(f"${{{key}}}", value)
        for statement in filter(str.strip, text.split(";")):
            table, query = re.findall(r"(?s)^\s*CREATE [A-Z ]+? (\w+)\n.*?\nAS\n(.*)$", statement)[0]
            spark.sql(f"DROP TABLE IF EXISTS {table}")
            spark.sql(f"CREATE TABLE {table} USING parquet AS {query}")


def _open(text: str) -> str:
    """Return a definition without what only Databricks knows: that tables are clustered, and may be there already."""
    return re.sub(r"\nCLUSTER BY \(.*\)", "", text).replace("CREATE OR REFRESH ", "CREATE ")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
