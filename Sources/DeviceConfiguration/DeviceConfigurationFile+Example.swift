extension DeviceConfigurationFile {
    /// A configuration with every key and what it means; it is valid as it stands.
    public static let example = """
        # The endpoint client name. Servers know the device by it.
        endpoint: urn:dev:ops:32473-Thermometer-1

        # Where the device registers. Write `bootstrap:` instead for a server that delivers accounts.
        server: coaps://127.0.0.1:5684

        # For coaps://: the identity and the key, which the server must know too. Many servers, `starling server` among
        # them, want the endpoint name as the identity. Make a key: openssl rand -hex 16
        psk:
          identity: urn:dev:ops:32473-Thermometer-1
          key: "00112233445566778899aabbccddeeff"

        # With `bootstrap:`, how the temporary URIs follow from its URI, the key and the time. Leave out to ask at that URI
        # itself; `bootstrapURI: {}` is the usual profile, whose fields `starling uri --help` explains.
        # bootstrapURI:
        #   parameters: [endpoint, time]
        #   period: 3600
        #   clock-skew: 60
        #   fallback: no

        # What the gateway changes only in a command session, and where it is. gsid and dsid are identifiers that both were
        # given beforehand, 32 hexadecimal digits each; without them whoever comes first begins the first session.
        # commandSessions:
        #   gateway: [127.0.0.1]
        #   protect: [/3303/0/5750, /3/0/4]
        #   form: both
        #   timeout: 60
        #   suspension: 3600
        #   breaches: spoofed=log,suspend,alarm;unpermitted=log,report
        #   gsid: "00112233445566778899aabbccddeeff"
        #   dsid: "ffeeddccbbaa99887766554433221100"

        # Where Starling's own objects stand, if not at 42769; device and servers must agree.
        # ownObjectIDs: 42769

        # Where the time comes from: the system, or unknown.
        clock: system

        # How long the server keeps the registration without an update.
        lifetime: 5m

        # Where the device keeps what bootstrap and servers change; relative to this file. Leave out to forget it.
        store: ./thermometer-1

        # DNS servers, for names in URIs. Leave out for those of the system.
        # dns: [192.0.2.53, "192.0.2.54:5353"]

        # How long deregistering may take at the end.
        stop-timeout: 10s

        # What object 3 says.
        device:
          manufacturer: Acme
          model: Thermometer
          serial: "0001"
          firmware: "1.0"

        # Further objects: instance, resource, value.
        objects:
          3303:
            0:
              5700: 21.5
              5701: Cel

        """
}
