"""The small chat model of the CPU profile in the format that vLLM reads."""

from __future__ import annotations

from pathlib import Path


def convert(gguf: Path, folder: Path) -> Path:
    """*folder* with the model of *gguf* as float32 safetensors, made when it is not there yet."""
    if (folder / "config.json").is_file():
        return folder
    import torch  # noqa: PLC0415 - in the vLLM environment only
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM  # noqa: PLC0415

    place = {"pretrained_model_name_or_path": gguf.parent, "gguf_file": gguf.name}
    quantised = AutoModelForCausalLM.from_pretrained(**place, dtype=torch.float32)
    config = quantised.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    config.dtype = torch.float32
    model = LlamaForCausalLM(config)
    model.load_state_dict(quantised.state_dict(), strict=False)
    model.tie_weights()
    partial = folder.with_suffix(".partial")
    AutoTokenizer.from_pretrained(**place).save_pretrained(partial)
    model.save_pretrained(partial)
    partial.replace(folder)
    return folder
