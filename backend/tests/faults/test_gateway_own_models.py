"""Models of the operator's own, through the whole server."""

import asyncio
from pathlib import Path

import msgspec

from agent_marketplace.providers.endpoints import DeclaredModel
from tests.fakes.rig import Rig

FIELDS = {
    "name": '"House Model"',
    "context": "4096",
    "max_output": "77",
    "vision": "false",
    "tools": "false",
    "structured_output": "false",
    "reasoning": "false",
    "embeddings": "true",
    "input_price": '"1"',
    "output_price": '"2"',
}
PROVIDER = '[[provider]]\nname = "house"\nbase_url = "http://127.0.0.1:9/v1"\n'


def catalogued(rig: Rig, name: str) -> tuple[object, ...]:
    """What the catalogue says of a declared model, but for its id."""
    model = rig.market.registry.resolve(f"house/{name}")
    assert model is not None
    offer = rig.market.registry.offers(model.id)[-1]
    shown = model.name if model.name == "House Model" else ""
    said = (shown, model.capabilities, offer.context, offer.max_output, offer.price)
    return (*said, offer.input_modalities, offer.supported_parameters)


def test_no_field_of_a_declared_model_is_read_and_dropped(tmp_path: Path) -> None:
    assert {f.name for f in msgspec.structs.fields(DeclaredModel)} == {"id", *FIELDS}
    models = ["", *(f"{field} = {value}" for field, value in FIELDS.items())]
    tables = [f'[[provider.models]]\nid = "own-{n}"\n{line}\n' for n, line in enumerate(models)]

    rig = Rig(tmp_path)
    (rig.directory / "providers.toml").write_text(PROVIDER + "".join(tables))

    async def run() -> None:
        async with rig:
            plain = catalogued(rig, "own-0")
            same = [f for n, f in enumerate(FIELDS, start=1) if catalogued(rig, f"own-{n}") == plain]
            assert same == []

    asyncio.run(run())
