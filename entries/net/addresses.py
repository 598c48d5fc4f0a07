"""Addresses that may be connected to; pure except for two settings.

``REDRIVE_ALLOW_PRIVATE_ADDRESSES`` opens every address, for development and closed networks.
``REDRIVE_ALLOWED_NETWORKS`` opens single networks, such as ``["10.20.0.0/16"]``.
"""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings

_GLOBAL_UNICAST = ip_network("2000::/3")
_NAT64 = ip_network("64:ff9b::/96")
#: What IANA's registries of special-purpose addresses (RFC 6890) do not call globally reachable.
#: Listed here because Python's ``is_global`` differs from release to release.
_SPECIAL_IPV4 = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",  # with its anycast addresses for PCP and TURN, which are not one host
            "192.0.2.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",
            "168.63.129.16/32",  # looks public: Azure's platform services
        ),
    )
)
#: Within global unicast; everything outside of that is refused anyway.
_SPECIAL_IPV6 = tuple(
    map(
        ip_network,
        (
            "2001::/23",  # protocols, Teredo and benchmarks among them
            "2001:db8::/32",
            "3fff::/20",
        ),
    )
)


def is_allowed(address: str) -> bool:
    """Say whether ``address``, a numeric IP from the resolver, may be connected to."""
    if settings.REDRIVE_ALLOW_PRIVATE_ADDRESSES:
        return True
    return _is_allowed(address, tuple(settings.REDRIVE_ALLOWED_NETWORKS))


@lru_cache(maxsize=1024)
def _is_allowed(address: str, networks: tuple[str, ...]) -> bool:
    """Cached, because every request asks; the same address and networks give the same answer."""
    ip = _unwrap(ip_address(address.partition("%")[0]))
    return is_public(ip) or any(ip in ip_network(network) for network in networks)


def is_public(ip: IPv4Address | IPv6Address) -> bool:
    """Say whether ``ip`` belongs to one host on the internet."""
    if isinstance(ip, IPv4Address):
        return not any(ip in network for network in _SPECIAL_IPV4)
    return ip in _GLOBAL_UNICAST and not any(ip in network for network in _SPECIAL_IPV6)


def _unwrap(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address that packets to ``ip`` end up at, where it wraps one."""
    if isinstance(ip, IPv4Address):
        return ip
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or ip
