"""The bundle's pipeline against the SQL that it runs and the classes of the SDK."""

import re

import yaml
from databricks.sdk.service.jobs import JobSettings
from databricks.sdk.service.pipelines import PipelineSpec

from tests.app.files import ROOT
from twin.sources import pipeline

FILE = ROOT / "resources" / "pipeline.yml"
GIVEN = yaml.safe_load(FILE.read_text("utf-8"))
MADE = GIVEN["targets"]["app"]["resources"]


def test_the_pipeline_runs_files_that_there_are_with_the_whole_configuration() -> None:
    (made,) = MADE["pipelines"].values()
    marks = {f"${{{key}}}" for key in made["configuration"]}
    assert marks - {"${spark.sql.session.timeZone}"} == set(pipeline.CONFIGURATION)
    paths = [one["file"]["path"] for one in made["libraries"]]
    for column in pipeline.COLUMNS:
        for path in paths:
            assert (FILE.parent / path.replace("${var.pipeline_times}", column)).resolve().is_file()
    # the service's names are those of the bundle
    assert PipelineSpec.from_dict(made).as_dict() == made


def test_what_is_not_set_is_what_the_sql_takes_for_it() -> None:
    defaults = {name: variable["default"] for name, variable in GIVEN["variables"].items()}
    assert defaults["pipeline_times_are"] == defaults["pipeline_dates"] == pipeline.UNSET
    assert defaults["pipeline_times"] in pipeline.COLUMNS
    used = set(re.findall(r"\$\{var\.(pipeline_\w+)\}", FILE.read_text("utf-8")))
    assert used == set(defaults), "each variable has a use"


def test_the_refresh_is_a_job_of_that_pipeline_and_costs_nothing_unasked() -> None:
    (job,) = MADE["jobs"].values()
    assert job["trigger"]["pause_status"] == "${var.pipeline_hours}"
    given = {**job, "trigger": {**job["trigger"], "pause_status": "PAUSED"}}
    assert JobSettings.from_dict(given).as_dict() == given
    assert GIVEN["variables"]["pipeline_hours"]["default"] == "PAUSED"
