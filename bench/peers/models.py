"""Makes the peers' models from the default model's GGUF file: models.py MODEL.gguf FOLDER

FOLDER/q4_0.gguf        every Q4_1 tensor requantised to Q4_0, which llama.cpp repacks for the CPU; the rest as it was
FOLDER/transformers/    the same weights dequantised to fp32, for transformers and kvpress
"""

import sys
from pathlib import Path

import torch
from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter
from gguf.quants import dequantize, quantize
from transformers import AutoModelForCausalLM


def requantise(source: Path, target: Path) -> None:
    reader = GGUFReader(source)
    writer = GGUFWriter(target, reader.fields["general.architecture"].contents())
    for name, field in reader.fields.items():
        # Those that the writer makes itself.
        if name.startswith("GGUF.") or name in ("general.architecture", "general.file_type"):
            continue
        inner = field.types[-1] if field.types[0] == GGUFValueType.ARRAY else None
        writer.add_key_value(name, field.contents(), field.types[0], inner)
    for tensor in reader.tensors:
        data, kind = tensor.data, tensor.tensor_type
        if kind == GGMLQuantizationType.Q4_1:
            kind = GGMLQuantizationType.Q4_0
            data = quantize(dequantize(data, tensor.tensor_type), kind)
        writer.add_tensor(tensor.name, data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main(source: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    requantise(source, folder / "q4_0.gguf")
    model = AutoModelForCausalLM.from_pretrained(source.parent, gguf_file=source.name, dtype=torch.float32)
    model.save_pretrained(folder / "transformers")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
