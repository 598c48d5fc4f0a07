"""Which addresses may be connected to; pure but for the two settings.

``REDRIVE_ALLOW_PRIVATE_ADDRESSES`` opens every address, for development and closed networks.
``REDRIVE_ALLOWED_NETWORKS`` opens single networks, such as ``["10.20.0.0/16"]``.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings

_GLOBAL_UNICAST = ip_network("2000::/3")
_NAT64 = ip_network("64:ff9b::/96")
#: Public by number only: documentation (RFC 9637), and Azure's platform services.
_REFUSED = (ip_network("3fff::/20"), ip_network("168.63.129.16/32"))


def is_allowed(address: str) -> bool:
    """Whether ``address``, a numeric IP as the resolver gives it, may be connected to."""
    if getattr(settings, "REDRIVE_ALLOW_PRIVATE_ADDRESSES", False):
        return True
    ip = _embedded(ip_address(address.partition("%")[0]))
    networks = getattr(settings, "REDRIVE_ALLOWED_NETWORKS", ())
    return is_public(ip) or any(ip in ip_network(network) for network in networks)


def is_public(ip: IPv4Address | IPv6Address) -> bool:
    """Whether ``ip`` belongs to one host somewhere on the internet."""
    if isinstance(ip, IPv6Address) and ip not in _GLOBAL_UNICAST:
        return False
    if ip.is_multicast or ip.is_reserved or any(ip in network for network in _REFUSED):
        return False
    return ip.is_global


def _embedded(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that packets to ``ip`` end up at, where it wraps one."""
    if isinstance(ip, IPv4Address):
        return ip
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or ip
