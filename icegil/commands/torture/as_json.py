"""The results of a campaign as JSON: everything, for programs."""

import json
from dataclasses import asdict
from typing import Any

from icegil.commands.torture.results import Cell, Results


def as_json(results: Results) -> str:
    """A JSON document."""
    document = {
        "facts": results.facts,
        "begun": results.begun.isoformat(timespec="seconds"),
        "seconds": round(results.seconds, 3),
        "runs_each": results.runs_each,
        "at_once": results.at_once,
        "was_stopped": results.was_stopped,
        "falls_short": results.falls_short,
        "scores": {side: dict(zip(("good", "runs"), results.score(side), strict=True)) for side in results.sides},
        "scenarios": [
            {
                **{name: value for name, value in asdict(cell.scenario).items() if name != "path"},
                "name": cell.scenario.name,
                **{str(side): _cell(cell) for side, cell in row.items()},
            }
            for row in results.rows
            for cell in [next(iter(row.values()))]
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "text": cell.text,
        "good": cell.good,
        "planned": cell.planned,
        "skipped": cell.skipped,
        "runs": [
            {
                "status": run.status,
                "seconds": round(run.seconds, 3),
                "verdict": run.verdict.kind,
                "message": "" if run.is_good else run.message,
                "stderr": run.stderr,
            }
            for run in cell.runs
        ],
    }
