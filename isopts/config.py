"""Strict configurations: YAML files found by name, overridden by `--set a.b=value`, checked against pydantic models."""

import difflib
import json
import math
import re
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from isopts.errors import ConfigError

Model = TypeVar("Model", bound="StrictModel")


class StrictModel(BaseModel):
    """An immutable configuration. An unknown key or a wrong type is an error: "600" is no int, 1 is a float."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def load_config(model: type[Model], name_or_path: str | Path, overrides: Sequence[str] = ()) -> Model:
    """Read a configuration and apply overrides.

    Args:
        model: what the file must contain.
        name_or_path: name of an installed configuration (`points_fast` or `points_fast.yml`), or a file. An existing
            file wins over an installed name.
        overrides: `a.b=value`, in order, later ones win; the value is YAML (`0.5`, `true`, `[1, 2]`, `null`).

    Raises:
        ConfigError: missing file, broken YAML, duplicate or unknown key, wrong type; names the key and its origin.
    """
    source, text = _read(str(name_or_path))
    values = _parse(text, source)
    if not isinstance(values, dict):
        raise ConfigError(f"{source} must hold `key: value` pairs, found {type(values).__name__}.")
    origins: dict[str, str] = {}
    for override in overrides:
        name = _override(model, values, override)
        origins[name] = f"--set {override}"
    return config_from_dict(model, values, source, origins)


def config_from_dict(
    model: type[Model], values: Mapping[str, Any], source: str, origins: Mapping[str, str] | None = None
) -> Model:
    """Check plain values, such as the configuration stored in a checkpoint.

    Args:
        source: where the values come from, for the error message.
        origins: dotted names whose value came from elsewhere, with the text that names that place.
    """
    try:  # through JSON, where a list may become a tuple while every other conversion stays forbidden
        return model.model_validate_json(json.dumps(values))
    except ValidationError as error:
        raise ConfigError(_explain(model, error, source, origins or {})) from None


def config_from_overrides(model: type[Model], values: Mapping[str, Any]) -> Model:
    """The defaults of a model, changed by options of the command line: dotted key -> plain value.

    Raises:
        ConfigError: a wrong type or value; names the key.
    """
    nested: dict[str, Any] = {}
    for name, value in values.items():
        *parents, key = name.split(".")
        inner = nested
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner[key] = value
    return config_from_dict(model, nested, "The command line")


def dump_config(config: BaseModel) -> str:
    """YAML text that `load_config` reads back to an equal configuration; every key is followed by its meaning."""
    return "\n".join(_yaml_lines(config, indent="")) + "\n"


def _yaml_lines(config: BaseModel, indent: str) -> Iterator[str]:
    for name, field in type(config).model_fields.items():
        value = getattr(config, name)
        comment = f"  # {field.description}" if field.description else ""
        if isinstance(value, BaseModel):
            yield f"{indent}{name}:{comment}"
            yield from _yaml_lines(value, indent + "  ")
        else:
            plain = config.model_dump(mode="json", include={name})[name]
            text = yaml.dump(plain, Dumper=_Dumper, default_flow_style=True, width=math.inf)
            yield f"{indent}{name}: {text.removesuffix('...' + chr(10)).strip()}{comment}"


def dotted_names(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Every key of a model and of the models inside it: `fit`, `fit.steps`, ..."""
    for name, field in model.model_fields.items():
        yield prefix + name
        for inner in _models_in(field.annotation):
            yield from dotted_names(inner, f"{prefix}{name}.")


def config_differences(first: BaseModel, second: BaseModel) -> dict[str, tuple[Any, Any]]:
    """Dotted name -> the two values, for every value that differs between two configurations of the same model."""
    differences: dict[str, tuple[Any, Any]] = {}
    for name in type(first).model_fields:
        values = getattr(first, name), getattr(second, name)
        if all(isinstance(value, BaseModel) for value in values):
            inner = config_differences(*values)
            differences |= {f"{name}.{key}": pair for key, pair in inner.items()}
        elif values[0] != values[1]:
            differences[name] = values
    return differences


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return [annotation] if issubclass(annotation, BaseModel) else []
    if typing.get_origin(annotation) in (typing.Union, types.UnionType, typing.Annotated):
        return [model for part in typing.get_args(annotation) for model in _models_in(part)]
    return []


def _read(name_or_path: str) -> tuple[str, str]:
    """The name to show and the text of a configuration."""
    path = Path(name_or_path)
    installed = resources.files("isopts.configs")
    if not path.is_file() and path.name == name_or_path:
        path = installed / (name_or_path if path.suffix in (".yml", ".yaml") else f"{name_or_path}.yml")
    try:
        return str(name_or_path), path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        names = sorted(entry.name.removesuffix(".yml") for entry in installed.iterdir() if entry.name.endswith(".yml"))
        reason = "does not exist" if isinstance(error, FileNotFoundError) else f"cannot be read ({error})"
        raise ConfigError(
            f"Configuration '{name_or_path}' {reason}; give a YAML file or one of: {', '.join(names)}."
        ) from None


def _parse(text: str, source: str) -> Any:
    try:
        return yaml.load(text, Loader=_Loader)  # a SafeLoader
    except yaml.YAMLError as error:
        raise ConfigError(f"{source} is not valid YAML: {' '.join(str(error).split())}.") from None


def _override(model: type[BaseModel], values: dict[str, Any], override: str) -> str:
    """Put one `a.b=value` into the nested `values`; returns the dotted name."""
    name, equals, text = override.partition("=")
    source = f"--set {override}"
    if not equals:
        raise ConfigError(f"{source}: expected key=value.")
    if name not in (names := list(dotted_names(model))):
        raise ConfigError(f"{source}: unknown key '{name}'{_nearest(name, names)}")
    *parents, key = name.split(".")
    for parent in parents:
        if not isinstance(values.get(parent), dict):
            values[parent] = {}
        values = values[parent]
    values[key] = _parse(text, source)
    return name


def _explain(model: type[BaseModel], error: ValidationError, source: str, origins: Mapping[str, str]) -> str:
    first, *others = error.errors(include_url=False)
    name = ".".join(map(str, first["loc"]))
    place = next((text for key, text in origins.items() if f"{name}.".startswith(f"{key}.")), source)
    more = f" ({len(others)} more like this)" if others else ""
    if first["type"] == "extra_forbidden":
        return f"{place}: unknown key '{name}'{more}{_nearest(name, list(dotted_names(model)))}"
    if first["type"] == "missing":
        return f"{place}: key '{name}' is missing{more}."
    expected = first["msg"][0].lower() + first["msg"][1:]
    if not name:  # a check of several keys together, whose message names them
        return f"{place}: {expected.removeprefix('value error, ')}{more}."
    return f"{place}: '{name}': {expected}, got {first['input']!r}{more}."


def _nearest(name: str, names: Sequence[str]) -> str:
    """`; did you mean 'x'?` by the whole dotted name, else by its last part: `steps` finds `fit.steps`."""
    last = name.rpartition(".")[2]
    endings = difflib.get_close_matches(last, [known.rpartition(".")[2] for known in names], n=1)
    found = difflib.get_close_matches(name, names, n=1, cutoff=0.75) or [
        known for known in names if endings and known.rpartition(".")[2] == endings[0]
    ]
    if found:
        return f"; did you mean '{found[0]}'?"
    parent = name.rpartition(".")[0]
    siblings = [known for known in names if known.rpartition(".")[0] == parent]
    return f"; known keys are {', '.join(siblings or [known for known in names if '.' not in known])}."


class _Loader(yaml.SafeLoader):
    """Plain values as in YAML 1.2: `1e-4` is a number, `off` and `2024-01-01` are strings, a key stands only once."""

    yaml_implicit_resolvers: typing.ClassVar[dict[str, Any]] = {}

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        if repeated := next((key for key in keys if keys.count(key) > 1), None):
            raise yaml.constructor.ConstructorError(None, None, f"key '{repeated}' stands twice", node.start_mark)
        return super().construct_mapping(node, deep)

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):  # aliases can repeat a value without end
            raise yaml.composer.ComposerError(None, None, "aliases are not supported", self.peek_event().start_mark)
        return super().compose_node(parent, index)


class _Dumper(yaml.SafeDumper):
    """Quotes exactly what `_Loader` would not read back as a string."""

    yaml_implicit_resolvers: typing.ClassVar[dict[str, Any]] = {}

    def ignore_aliases(self, data: Any) -> bool:
        return True


for _class in (_Loader, _Dumper):
    _class.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|)$"), ["~", "n", ""])
    _class.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), ["t", "f"])
    _class.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789"))
    _class.add_implicit_resolver(
        "tag:yaml.org,2002:float",
        re.compile(
            r"^(?:[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+|[-+]?\.inf|\.nan)$"
        ),
        list("-+.0123456789"),
    )
