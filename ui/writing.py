"""Shows a written answer on a terminal, growing by each sentence that has passed its check.

Knows nothing of models. What is shown while the model writes is replaced by the whole answer, so that an
answer that failed half-way leaves nothing behind.
"""

from collections.abc import Iterable
from contextlib import nullcontext
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from rag.language import Language
from rag.records import Answer, Part
from ui.messages import say
from ui.terminal import printable, show_answer

if TYPE_CHECKING:
    from rag.writing import Written

__all__ = ["show_answering"]


def show_answering(console: Console, steps: "Iterable[Written | Answer]", typed: str) -> Answer:
    """Show what comes, then the whole answer, and give it back.

    Args:
        console: where to.
        steps: what `Engine.stream` gives.
        typed: the question as it was typed; how a follow-up was understood is told.
    """
    answer: Answer | None = None
    shown = Live(Text(), console=console, transient=True, auto_refresh=False) if console.is_terminal else nullcontext()
    with shown as live:
        for step in steps:
            if isinstance(step, Answer):
                answer = step
            elif live is not None:
                live.update(_growing(step.writing.parts, step.lang), refresh=True)
    if answer is None:
        raise ValueError("the steps end without an answer")
    if answer.question != typed:
        console.print(Text(say("understood", answer.lang, question=printable(answer.question)), style="dim"))
    show_answer(console, answer)
    return answer


def _growing(parts: Iterable[Part], lang: Language) -> Group:
    lines = [Text(f"{printable(part.text)} {''.join(f'[{n}]' for n in part.cites)}", style="bold") for part in parts]
    return Group(*lines, Text(say("checking", lang), style="dim"))
