"""Options of OpenSearch clients: which there are, since opensearch-py passes over those that it does not know."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from inspect import Parameter, signature
from typing import Any

from opensearch_neural_sparse.arguments import check_mapping
from opensearch_neural_sparse.error_reasons import did_you_mean
from opensearch_neural_sparse.transport.address import check_address, hosts_of
from opensearch_neural_sparse.transport.logins.described_login import warn_of_plain_login

CLIENT_DEFAULTS: Mapping[str, Any] = {"timeout": 60, "pool_maxsize": 20}
"""Options of the clients that are made here: opensearch-py gives up after 10 seconds and keeps one connection."""

_IN_NO_SIGNATURE = frozenset({"scheme"})
"""Options that connections read without a parameter of that name."""
_GIVEN_BY_THE_CLIENT = frozenset({"self", "hosts", "host", "connections"})
"""Parameters that are no options: addresses, and arguments between the parts of a client."""
_PARTS = ("transport_class", "connection_pool_class", "connection_class")
"""Options that are classes with options of their own."""
_NAMED = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)


def check_client_source(client: object, url: Any, options: Mapping[str, Any] | None) -> None:
    """Check a client of the caller's, or the URL and options that a client is made of.

    Args:
        client: A client, or None.
        url: Address of one or several servers, in place of a client.
        options: Options of the client that is made for a url.

    Raises:
        TypeError: An unknown client option, or key of a host.
        ValueError: Neither a client nor a url, or both; options beside a client; or a url that is none.
    """
    check_mapping(optional=True, client_options=options)
    if (client is None) == (url is None):
        raise ValueError("Give either a client or the url of a server.")
    if client is None:
        check_address(url)
        options = {} if options is None else options
        check_client_options(options)
        check_host_options(url, options)
        warn_of_plain_login(url, options)
    elif options:
        raise ValueError("client_options are for the client that is made for a url; the client given has its own.")


def check_client_options(options: Mapping[str, Any], *, also: Collection[str] = ()) -> None:
    """Check the names of options of a client, blocking or asynchronous.

    Args:
        options: Name -> value.
        also: Further names that may be meant by a misspelt one.

    Raises:
        TypeError: None of the client, its transport, its connection pool and its connections takes an option.
    """
    check_mapping(client_options=options)
    if options:
        given = frozenset(name for part in _PARTS for name in _parameters(options.get(part)))
        refuse_unknown("client option", options, (_usual() | given) - _GIVEN_BY_THE_CLIENT, also=also)


def check_host_options(url: Any, options: Mapping[str, Any]) -> None:
    """Check the keys of addresses that are mappings.

    Args:
        url: One or several addresses, as `check_address` takes them.
        options: Options of the client, whose `connection_class` may have some of its own.

    Raises:
        TypeError: A connection takes no such option.
    """
    for host in hosts_of(url):
        if isinstance(host, Mapping):
            known = _of_connections() | _parameters(options.get("connection_class"))
            refuse_unknown("key of a host", host, (known | {"host"}) - {"self"})


def refuse_unknown(kind: str, given: Iterable[str], known: Collection[str], *, also: Collection[str] = ()) -> None:
    """Raise TypeError where names are not known, with those that are likely meant, or else with all that are.

    Args:
        kind: What the names are of, as one of them is called.
        given: The names.
        known: Those that are known.
        also: Others that may be meant.
    """
    unknown = [name for name in given if name not in known]
    if not unknown:
        return
    close = dict.fromkeys(match for name in unknown for match in get_close_matches(str(name), {*known, *also}, n=1))
    wayout = did_you_mean(close) or f"Known are {', '.join(sorted(known))}."
    raise TypeError(f"Unknown {kind}: {', '.join(map(repr, unknown))}. {wayout}")


@cache
def _usual() -> frozenset[str]:
    """Return what clients take that are made of opensearch-py's usual parts."""
    from opensearchpy import ConnectionPool, OpenSearch, Transport

    parts = [OpenSearch, Transport, ConnectionPool]
    return _of_connections() | {name for part in parts for name in _parameters(part)}


@cache
def _of_connections() -> frozenset[str]:
    """Return what the usual connections take, blocking and asynchronous."""
    from opensearchpy import Transport

    usual: list[Any] = [Transport.DEFAULT_CONNECTION_CLASS]
    try:
        from opensearchpy import AsyncTransport
    except ImportError:  # aiohttp is not installed
        pass
    else:
        usual.append(AsyncTransport.DEFAULT_CONNECTION_CLASS)
    return _IN_NO_SIGNATURE | {name for part in usual for name in _parameters(part)}


def _parameters(part: type | Callable[..., Any] | None) -> frozenset[str]:
    """Return the named parameters of a class, those of its bases among them, which it hands its others to."""
    if part is None:
        return frozenset()
    makers = (
        [vars(one)["__init__"] for one in part.__mro__ if "__init__" in vars(one)] if isinstance(part, type) else [part]
    )
    return frozenset(
        parameter.name
        for maker in makers
        for parameter in signature(maker).parameters.values()
        if parameter.kind in _NAMED
    )
