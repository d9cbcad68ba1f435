import CoAPMessages
import LwM2MModel
import Primitives
import Testing

@testable import ClientEngine

@Suite("Core 1.2.2 §7.3 AttributeQuery and AttributeTable")
struct AttributeQueryTests {
    @Test(
        "Numbers are an optional sign, digits, and a point between digits",
        arguments: [
            ("0", 0), ("7", 7), ("-7.25", -7.25), ("23.5", 23.5), ("0.1", 0.1), ("1000000", 1e6), ("007", 7), ("", nil),
            ("-", nil), (".5", nil), ("5.", nil), ("1.2.3", nil), ("1e3", nil), ("+1", nil), ("0x1", nil), ("1 ", nil),
            ("999999999999999999999999999999999", nil),
        ] as [(String, Double?)]
    )
    func readsNumbers(text: String, number: Double?) {
        let attributes = try? AttributeQuery.apply([UTF8Text("gt=\(text)")], to: NotificationAttributes())
        #expect(attributes?.greaterThan == number)
    }

    @Test(
        "Periods are whole seconds of 32 bits",
        arguments: [
            ("0", 0), ("4294967295", .max), ("4294967296", nil), ("99999999999", nil), ("1.5", nil), ("-1", nil),
            ("", nil),
        ] as [(String, UInt32?)]
    )
    func readsPeriods(text: String, seconds: UInt32?) {
        let attributes = try? AttributeQuery.apply([UTF8Text("pmax=\(text)")], to: NotificationAttributes())
        #expect(attributes?.maximumPeriod == seconds)
    }

    @Test("A name alone removes what was attached")
    func removes() throws {
        var attached = NotificationAttributes()
        attached.minimumPeriod = 5
        attached.step = 2
        let attributes = try AttributeQuery.apply(["pmin", "gt=3"], to: attached)
        #expect(attributes.minimumPeriod == nil)
        #expect(attributes.step == 2)
        #expect(attributes.greaterThan == 3)
    }

    @Test("§7.3.1: each attribute counts from the lowest level that has it")
    func inherits() {
        var table = AttributeTable()
        var high = NotificationAttributes()
        high.minimumPeriod = 1
        high.maximumPeriod = 100
        var low = NotificationAttributes()
        low.minimumPeriod = 9
        let isSet = [table.set(high, for: ObjectPath(3303)), table.set(low, for: ObjectPath(3303, 0, 5700))]
        #expect(isSet == [true, true])
        let effective = table.effective(at: ObjectPath(3303, 0, 5700))
        #expect(effective.minimumPeriod == 9)
        #expect(effective.maximumPeriod == 100)
        #expect(table.effective(at: ObjectPath(3303, 1)).minimumPeriod == 1)
        table.remove(below: ObjectPath(3303, 0))
        #expect(table.effective(at: ObjectPath(3303, 0, 5700)).minimumPeriod == 1)
    }

    @Test("A device is small: the engine and each of its values")
    func isSmall() {
        #expect(MemoryLayout<ClientEngine>.size <= 288)
        #expect(MemoryLayout<ResourceValues.Entry>.stride == 16)
        #expect(MemoryLayout<ServerConnection>.size <= 320)
    }
}
