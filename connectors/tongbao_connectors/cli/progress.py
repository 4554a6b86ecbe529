"""Kafka's jars under a progress bar on standard error."""

import sys

from tongbao_connectors.language import Language


def fetch_jars(lang: Language) -> int:
    """Makes sure that every jar is in the cache with its pinned sha256, and counts them."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from tongbao_broker.kafka import jars

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[jar]}"),
    )
    screen = Console(file=sys.stderr)
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task(
            "下载 Kafka 组件" if lang == "zh" else "Fetching Kafka's jars", jar="", total=None
        )

        def show(done: int, total: int, name: str) -> None:
            bar.update(task, completed=done, total=total, jar=name)

        jars.fetch(jars.default_cache(), show)
    return len(jars.JARS)
