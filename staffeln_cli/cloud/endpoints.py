"""Which endpoints of the catalogue are used, and with that: which cloud this is."""

from keystoneauth1 import exceptions as ksa
from keystoneauth1.access import AccessInfo
from keystoneauth1.access.service_catalog import ServiceCatalog
from keystoneauth1.adapter import Adapter
from openstack import exceptions as sdk
from openstack.connection import Connection

from staffeln_cli.cloud.clocks import Clocks
from staffeln_cli.errors import CloudUnavailable, ConfigError
from staffeln_cli.model import CloudSeen
from staffeln_cli.model.cloud import keystone_of, normalized
from staffeln_cli.model.text import first_line

_SERVICES = {"identity": "keystone", "compute": "nova", "block-storage": "cinder"}
"""The services that are used, by their official types, which stand for all aliases."""


class Endpoints:
    """The endpoints that keystoneauth selects from the catalogue of the login's token."""

    def __init__(self, connection: Connection, access: AccessInfo, cloud: str) -> None:
        self._connection = connection
        self._catalogue: ServiceCatalog = access.service_catalog
        self._project_id = str(access.project_id)
        self._cloud = cloud

    def check(self) -> None:
        """See that each service has one endpoint that can be meant.

        ConfigError where region or interface select none, or several regions are there to select
        from and none is configured; CloudUnavailable where the catalogue lacks a service.
        """
        problems = [text for one in _SERVICES if (text := self._problem(one)) is not None]
        if problems:
            raise ConfigError([f"cloud {self._cloud}: {text}" for text in problems])

    def _problem(self, service: str) -> str | None:
        if self._configured_url(service) is not None:
            return None
        everything = self._found(service)
        if not everything:
            raise CloudUnavailable(
                f"cloud {self._cloud}: Keystone's catalogue has no {service} service"
                f" ({_SERVICES[service]}); register its endpoints: openstack catalog list"
            )
        interface, region = self._interface(service), self._region(service)
        usable = [place for place in everything if place[0] in interface]
        if not usable:
            offered = ", ".join(sorted({name for name, _ in everything}))
            wanted = " or ".join(interface)
            return (
                f"interface: {service} has no {wanted} endpoint in the catalogue, but: {offered}"
            )
        regions = sorted({name for _, name in usable})
        if region and region not in regions:
            return (
                f"cloud.region: {service} has no endpoint in region {region}, but in"
                f" {', '.join(regions)}"
            )
        if not region and service != "identity" and len(regions) > 1:
            return (
                f"cloud.region: the catalogue has {service} in the regions {', '.join(regions)};"
                " set cloud.region, or region_name in clouds.yaml, to the one that is meant"
            )
        return None

    def register(self, clocks: Clocks) -> None:
        """Tell which URLs are which service's, and have the proxies made.

        openstacksdk makes proxies without a lock, so that threads must not be the first to ask.
        """
        for found in self._catalogue.get_endpoints_data(service_type="identity").values():
            for one in found:
                clocks.register("keystone", str(one.url))
        clocks.register("nova", self._url("compute"))
        cinder = without_project(self._url("block-storage"), self._project_id)
        clocks.register("cinder", cinder)

    def seen(self, auth_url: str) -> CloudSeen:
        """The cloud, as a database remembers it."""
        configured = self._configured_url("block-storage") is not None
        places = [] if configured else self._chosen("block-storage")
        service_id, region = places[0] if places else ("", self._region("block-storage"))
        return CloudSeen(
            identity=service_id,
            region=region,
            auth_url=keystone_of(auth_url),
            name=self._cloud,
            block_storage_url=without_project(self._url("block-storage"), self._project_id),
        )

    def _found(self, service: str) -> list[tuple[str, str]]:
        """Interface and region of each endpoint of a service, whatever its type is called."""
        found = self._catalogue.get_endpoints_data(service_type=service)
        return [
            (str(one.interface), str(one.region_name or ""))
            for endpoints in found.values()
            for one in endpoints
        ]

    def _chosen(self, service: str) -> list[tuple[str, str]]:
        """Service id and region of the endpoints that keystoneauth would use, best first."""
        found = self._catalogue.get_endpoint_data_list(
            service_type=service,
            interface=list(self._interface(service)),
            region_name=self._region(service) or None,
        )
        return [(str(one.service_id or ""), str(one.region_name or "")) for one in found]

    def _url(self, service: str) -> str:
        try:
            proxy = getattr(self._connection, service.replace("-", "_"))
            return str(Adapter.get_endpoint(proxy) or "")
        except (sdk.SDKException, ksa.ClientException, AttributeError) as error:
            raise CloudUnavailable(
                f"cloud {self._cloud}: {service}: no endpoint is usable: {first_line(error)}"
            ) from error

    def _configured_url(self, service: str) -> str | None:
        url: str | None = self._connection.config.get_endpoint(service)
        return url

    def _region(self, service: str) -> str:
        return str(self._connection.config.get_region_name(service) or "")

    def _interface(self, service: str) -> tuple[str, ...]:
        found = self._connection.config.get_interface(service) or "public"
        names = [found] if isinstance(found, str) else list(found)
        return tuple(str(name).removesuffix("URL") for name in names)


def without_project(url: str, project_id: str) -> str:
    """Cinder's endpoint without the project, which older catalogues append to it."""
    spelled = normalized(url)
    for ending in (f"/{project_id}", f"/AUTH_{project_id}"):
        spelled = spelled.removesuffix(ending)
    return spelled
