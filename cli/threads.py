"""The --threads option."""


def use_threads(wanted: int) -> str:
    """Let torch and the kernels use `wanted` CPU threads, the idle processors for 0; a sentence for the user."""
    import torch

    from isopts.run.threads import idle_processors

    threads = wanted or idle_processors()
    torch.set_num_threads(threads)
    reason = "as asked" if wanted else "the processors that are idle; --threads changes that"
    return f"Using {threads} CPU thread{'s' if threads > 1 else ''} ({reason})."
