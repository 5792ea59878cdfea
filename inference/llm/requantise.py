"""Rewrites a GGUF file with another 4-bit format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter, LlamaFileType
from gguf.quants import dequantize, quantize

_ARCHITECTURE = "general.architecture"
_FILE_TYPE = "general.file_type"


def requantise(source: Path, target: Path) -> None:
    """Write *source* to *target* with its Q4_1 tensors as Q4_0 and everything else as it was.

    llama.cpp has interleaved AVX2 and ARM kernels for Q4_0 and none for Q4_1: prompts are read twice as fast. *target*
    appears whole or not at all.
    """
    reader = GGUFReader(source)
    partial = target.with_suffix(".partial")
    writer = GGUFWriter(partial, reader.fields[_ARCHITECTURE].contents())
    _copy_fields(reader, writer)
    for tensor in reader.tensors:
        data, kind = tensor.data, tensor.tensor_type
        if kind is GGMLQuantizationType.Q4_1:
            kind = GGMLQuantizationType.Q4_0
            data = quantize(dequantize(data, GGMLQuantizationType.Q4_1), kind)
        writer.add_tensor(tensor.name, data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    partial.replace(target)


def _copy_fields(reader: GGUFReader, writer: GGUFWriter) -> None:
    for name, entry in reader.fields.items():
        # The reader shows the header's own numbers as fields; the writer makes those, and the architecture, itself.
        if name.startswith("GGUF.") or name == _ARCHITECTURE:
            continue
        value: Any = int(LlamaFileType.MOSTLY_Q4_0) if name == _FILE_TYPE else entry.contents()
        outer = entry.types[0]
        writer.add_key_value(name, value, outer, sub_type=entry.types[-1] if outer is GGUFValueType.ARRAY else None)
