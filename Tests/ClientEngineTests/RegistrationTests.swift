import ClientEngine
import CoAPMessages
import LwM2MModel
import Primitives
import Testing

@Suite("Core 1.2.2 §6.2 Registration interface")
struct RegistrationTests {
    @Test("§6.2.1: Register names endpoint, lifetime, version, binding and objects")
    func registers() throws {
        var driver = EngineDriver(Sample.configuration)
        let opened = driver.handle(.started)
        let session = try #require(opened.openedSession)
        #expect(
            opened == [
                .openSession(
                    session,
                    try CoAPURI(parsing: "coaps://server.example"),
                    .preSharedKey(identity: [0x61], key: Sample.key)
                )
            ]
        )
        let register = try #require(driver.handle(.sessionOpened(session)).sentRequest)
        #expect(register.request.method == .post)
        #expect(register.request.path == ["rd"])
        #expect(register.request.query == ["ep=urn:dev:1", "lt=300", "lwm2m=1.1", "b=U"])
        #expect(register.request.options.contentFormat == .linkFormat)
        #expect(
            String(decoding: register.request.payload, as: UTF8.self)
                == "</>;rt=\"oma.lwm2m\";ct=\"60 110 112 11542\",</1>;ver=1.2,</1/0>,"
                + "</3>;ver=1.2,</3/0>,</3303>;ver=1.1,</3303/0>,</30000/0>"
        )
        driver.now = driver.now.advanced(by: .seconds(1))
        #expect(driver.handle(.responseReceived(register.id, Sample.created())).isEmpty)
        #expect(driver.takeReports() == [.registered(shortServerID: 101, since: .zero)])
    }
}
