"""How a test fills Neutron, and what Nova boots servers by."""

from __future__ import annotations

from dataclasses import dataclass

from staffeln_cli.demo.simcloud.rows import Flavor, Network, Port, SecurityGroup
from staffeln_cli.demo.simcloud.world import World


@dataclass(frozen=True)
class Networks:
    """Adds networks, ports, security groups and flavors."""

    world: World

    def add_flavor(self, flavor_id: str, *, vcpus: int = 1, ram: int = 256) -> None:
        with self.world.lock:
            self.world.flavors[flavor_id] = Flavor(flavor_id, flavor_id, vcpus, ram)

    def add_network(self, name: str, *, project: str, shared: bool = False) -> str:
        with self.world.lock:
            networks = self.world.networking.networks
            owner = self.world.project(project).id
            network = Network(self.world.new_id(), name, owner, len(networks), shared)
            networks[network.id] = network
            return network.id

    def add_security_group(self, name: str, *, project: str) -> str:
        with self.world.lock:
            owner = self.world.project(project).id
            group = SecurityGroup(self.world.new_id(), name, owner)
            self.world.networking.security_groups[group.id] = group
            return group.id

    def add_port(
        self, network: str, ip: str, mac: str, *, server: str | None = None, project: str = ""
    ) -> str:
        """Add a port with an address; on a server, it has the server's project."""
        with self.world.lock:
            row = self.world.server(server) if server else None
            owner = row.project_id if row else self.world.project(project).id
            port = Port(self.world.new_id(), "", network, owner, ip, mac, row.id if row else "")
            self.world.networking.ports[port.id] = port
            if row:
                self.world.servers.change(row)
            return port.id
