import ArgumentParser
import BootstrapServer
import CoAPMessages
import CoAPTransport
import Primitives
import ServiceSupport

/// The balancer that a bootstrap server belongs to, and how the server presents itself there.
struct InstanceOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The balancer that sends devices here, with DTLS.", valueName: "uri"))
    var balancer: String?
    @Option(help: ArgumentHelp("The key of this instance at the balancer, or @FILE with it.", valueName: "hex"))
    var balancerPsk: String?
    @Option(help: ArgumentHelp("The identity of this instance there; the same as --name.", valueName: "name"))
    var balancerIdentity: String?
    @Option(help: ArgumentHelp("The name of this instance.", valueName: "name"))
    var name: String?
    @Option(
        help: ArgumentHelp(
            "Where devices reach this instance, if not where it listens; repeat it or separate with commas.",
            valueName: "address"
        )
    )
    var address: [String] = []
    @Option(help: ArgumentHelp("Its share of the devices beside other instances, 1 to 1000.", valueName: "n"))
    var weight = 1
    @Option(help: ArgumentHelp("Where it stands, for devices of the same region.", valueName: "name"))
    var region: String?
    @Option(name: .customLong("class"), help: ArgumentHelp("A class of devices it is for.", valueName: "name"))
    var classes: [String] = []

    /// - Returns: nil when there is no balancer.
    func link(listening: [ListenAddress]) throws(ServiceError) -> BalancerLink? {
        guard let balancer else {
            guard self.balancerPsk == nil, self.name == nil, self.balancerIdentity == nil, self.address.isEmpty else {
                throw ServiceError("an instance has a name only at a balancer", hint: "--balancer coaps://HOST:PORT")
            }
            return nil
        }
        guard let place = try? ListenAddress(parsing: balancer), place.scheme == .coaps, place.address.port != 0 else {
            throw ServiceError(
                "'\(balancer)' is no address of a balancer",
                hint: "write its address and port as coaps://10.0.0.1:5685"
            )
        }
        guard let key = self.balancerPsk else {
            throw ServiceError("the balancer needs a key", hint: "--balancer-psk HEX, as in its --instance-credentials")
        }
        return BalancerLink(
            address: place.address,
            key: try DeviceKeys.readKey(key, option: "--balancer-psk"),
            instance: try self.report(listening: listening)
        )
    }

    private func report(listening: [ListenAddress]) throws(ServiceError) -> InstanceReport {
        guard let name = self.name ?? self.balancerIdentity, self.balancerIdentity ?? name == name else {
            throw ServiceError("the instance has no name, or two", hint: "--name NAME; it is the identity as well")
        }
        guard (1...1000).contains(self.weight) else {
            throw ServiceError("the weight is \(self.weight)", hint: "1 to 1000")
        }
        let labels = [name] + self.classes + [self.region].compactMap { $0 }
        guard labels.allSatisfy({ (1...BalancerMessages.longestName).contains($0.utf8.count) }),
            self.classes.count <= BalancerMessages.maximumClasses
        else {
            throw ServiceError(
                "a name, region or class is empty or too long, or there are too many classes",
                hint:
                    "1 to \(BalancerMessages.longestName) bytes each, at most \(BalancerMessages.maximumClasses) classes"
            )
        }
        return InstanceReport(
            name: UTF8Text(name),
            addresses: try self.addresses(listening: listening),
            weight: self.weight,
            region: self.region.map { UTF8Text($0) },
            classes: self.classes.map { UTF8Text($0) }
        )
    }

    private func addresses(listening: [ListenAddress]) throws(ServiceError) -> [IPAddress] {
        var addresses: [IPAddress] = []
        for text in self.address.flatMap({ $0.split(separator: ",").map(String.init) }) {
            guard let address = IPAddress(written: text) else {
                throw ServiceError(
                    "'\(text)' is no address",
                    hint: "write it as 10.0.0.1 or 2001:db8::1, without a port"
                )
            }
            addresses.append(address)
        }
        if addresses.isEmpty { addresses = listening.compactMap { IPAddress($0.address.addressBytes) } }
        addresses = addresses.enumerated().filter { addresses.firstIndex(of: $1) == $0 }.map(\.element)
        guard addresses.allSatisfy({ $0.bytes.contains { $0 != 0 } }) else {
            throw ServiceError(
                "devices cannot be sent to an address that stands for all of this machine",
                hint: "--address with the ones that devices reach"
            )
        }
        guard (1...BalancerMessages.maximumAddresses).contains(addresses.count) else {
            throw ServiceError(
                "the instance has \(addresses.count) addresses",
                hint: "1 to \(BalancerMessages.maximumAddresses)"
            )
        }
        return addresses
    }
}
