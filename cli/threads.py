"""The --threads option."""

from typing import Annotated

import typer

Threads = Annotated[int, typer.Option("--threads", min=0, help="CPU threads; 0 takes the idle processors.")]


def use_threads(wanted: int, decoder: str) -> str:
    """Share `wanted` CPU threads, the idle processors for 0, between torch and the kernels; a sentence for the user.

    A grid field's work is done by kernels between which torch does little: its OpenMP team would spin there and take
    the processors from them. The other decoders are matrix products, which torch spreads best.
    """
    import torch

    from isopts.kernels.launch import set_threads
    from isopts.run.threads import idle_processors

    threads = wanted or idle_processors()
    torch.set_num_threads(1 if decoder == "grid" else threads)
    set_threads(threads)
    reason = "as asked" if wanted else "the processors that are idle; --threads changes that"
    return f"Using {threads} CPU thread{'s' if threads > 1 else ''} ({reason})."
