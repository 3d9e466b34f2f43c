"""What a campaign leaves behind: a file for each program that fails, and a summary."""

from __future__ import annotations

import shlex
from collections import Counter
from pathlib import Path

from tools.differ.campaign import Campaign, Finding
from tools.differ.child import Laboratory, Side
from tools.differ.judging import GRAVITY, How, Verdict
from tools.differ.program import Way

RULE = "-" * 78


def write(finding: Finding, laboratory: Laboratory, folder: Path) -> Path:
    """Writes the reduced program, and beside it what was seen of the whole one; the path of the program."""
    folder.mkdir(parents=True, exist_ok=True)
    program = finding.reduced
    path = folder / f"seed-{program.seed}.py"
    path.write_text(program.text)
    guarded = path
    if program.way is Way.IMPORT:
        guarded = path.with_stem(f"{path.stem}-guarded")
        guarded.write_text(program.guarded_text)
    plain = shlex.join(laboratory.command(program, Side.PLAIN, str(path)))
    run = shlex.join(laboratory.command(program, Side.GUARDED, str(guarded)))
    comparison = finding.comparison
    worst, worst_plain = comparison.gravest.outcome, comparison.gravest_plain.outcome
    lines = [
        f"{comparison.verdict}: {comparison.text}",
        f"plain:    {plain}",
        f"guarded:  {run}",
        f"again:    make differ ARGS='--seed {program.seed} -n 1'",
        f"whole:    {comparison.program.names}",
        f"reduced:  {program.names}",
    ]
    for title, text in (
        ("guarded, stderr", worst.stderr),
        ("guarded, stdout", worst.stdout),
        ("plain, stderr", worst_plain.stderr),
        ("plain, stdout", worst_plain.stdout),
        ("the whole program", comparison.program.text),
    ):
        lines += [RULE, f"{title}:", text]
    path.with_suffix(".txt").write_text("\n".join(lines))
    return path


def line(finding: Finding, path: Path) -> str:
    """A finding, for whoever watches."""
    comparison, program = finding.comparison, finding.reduced
    return (
        f"{finding.number}. {comparison.verdict}, seed {program.seed}, {program.way}: {comparison.text}\n"
        f"    reduced to: {program.names}\n"
        f"    {path}"
    )


def summary(campaign: Campaign) -> str:
    """The endings of both sides against each other, the verdicts, and what stands behind those that are not good."""
    lines = []
    for finding in sorted(
        campaign.findings, key=lambda each: (each.comparison.verdict != Verdict.WORSE, -len(each.like))
    ):
        seeds = [finding.comparison.program.seed, *(other.program.seed for other in finding.like)]
        lines.append(f"{finding.comparison.verdict} {len(seeds)} times: {finding.reduced.names}")
        lines.append(f"    {finding.comparison.gravest.why}")
        lines.append(
            f"    {finding.reduced.way}; seeds {', '.join(map(str, seeds[:8]))}{' ...' if len(seeds) > 8 else ''}"
        )
    count = len(campaign.comparisons)
    verdicts = Counter(each.verdict for each in campaign.comparisons)
    rate = f", {60 * count / campaign.seconds:.0f} a minute" if campaign.seconds else ""
    lines += ["", *_table(campaign), ""]
    lines.append(
        f"{count} programs in {campaign.seconds:.0f} s{rate}: " + ", ".join(f"{verdicts[v]} {v}" for v in Verdict)
    )
    return "\n".join(lines)


def _table(campaign: Campaign) -> list[str]:
    """How many programs ended in each way plain (the rows) and guarded (the columns), by their gravest runs."""
    found = Counter((each.gravest_plain.how, each.gravest.how) for each in campaign.comparisons)
    rows = [how for how in How if any(plain is how for plain, _ in found)]
    columns = [how for how in How if any(guarded is how for _, guarded in found)]
    columns.sort(key=GRAVITY)
    lines = [f"{'plain / guarded':<16}" + "".join(f"{how:>14}" for how in columns)]
    lines += [f"{row:<16}" + "".join(f"{found[row, column] or '':>14}" for column in columns) for row in rows]
    return lines
