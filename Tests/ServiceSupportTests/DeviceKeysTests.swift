import Foundation
import LwM2MModel
import Primitives
import ServiceSupport
import Testing

@Suite struct DeviceKeysTests {
    private func file(_ text: String) throws -> String {
        let path = FileManager.default.temporaryDirectory.appending(path: "keys-\(UUID().uuidString)").path
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    private func table(_ text: String) throws -> CredentialTable {
        let path = try self.file(text)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try CredentialTable(contentsOf: path)
    }

    @Test func findsKeysByIdentity() throws {
        let identity = Array("dev1".utf8)
        #expect(DeviceKeys.none.key(of: identity) == nil)
        #expect(DeviceKeys.shared(SecretBytes([1])).key(of: identity) == SecretBytes([1]))
        #expect(DeviceKeys.derived(secret: SecretBytes([1])).key(of: identity)?.count == 16)
        let listed = DeviceKeys.listed(try self.table("dev1,dev1,0102\n"))
        #expect(listed.key(of: identity) == SecretBytes([1, 2]))
        #expect(listed.key(of: Array("dev2".utf8)) == nil)
    }

    @Test func readsLinesAndJSON() throws {
        let lines = try self.table("endpoint,identity,key\n# a remark\ndev1,id1,0102\r\n\ndev2, ,03\ndev3,04\n")
        let json = try self.table(
            #" [{"endpoint":"dev1","identity":"id1","key":"0102"},{"endpoint":"dev2","key":"03"}, {"endpoint":"dev3","key":"04"}]"#
        )
        for table in [lines, json] {
            #expect(table.count == 3)
            #expect(table.credential(of: Array("id1".utf8))?.endpoint == "dev1")
            #expect(table.credential(ofEndpoint: "dev2")?.identity == Array("dev2".utf8))
            #expect(table.credential(ofEndpoint: "dev3")?.key == SecretBytes([4]))
        }
    }

    @Test func aFirstLineNamesTheColumnsInAnyOrder() throws {
        let lines = try self.table(
            "# made today\nregion,key,serial,class,endpoint\nnorth,01,77,meter,dev1\n,02,78, ,\"a \"\"b\"\", c\"\n"
        )
        let json = try self.table(
            #"[{"endpoint":"dev1","key":"01","region":"north","class":"meter"},{"endpoint":"a \"b\", c","key":"02"}]"#
        )
        for table in [lines, json] {
            let first = try #require(table.credential(ofEndpoint: "dev1"))
            #expect(first.region == "north" && first.deviceClass == "meter" && first.identity == Array("dev1".utf8))
            let second = try #require(table.credential(ofEndpoint: "a \"b\", c"))
            #expect(second.region == nil && second.deviceClass == nil && second.key == SecretBytes([2]))
        }
    }

    private static let broken: [(String, String)] = [
        ("endpoint,key,key\ndev1,01,02\n", "line 1"),
        ("endpoint,key,region\ndev1,01\n", "line 2"),
        ("endpoint,key\n\"dev1\"x,01\n", "line 2"),
        ("endpoint,key,region\ndev1,01,\(String(repeating: "r", count: 65))\n", "line 2"),
        ("dev1,id1,01,north\n", "line 1"),
        ("dev1\n", "line 1"),
        ("dev1,a,01\ndev2,b,c,d\n", "line 2"),
        ("dev1,a,xyz\n", "line 1"),
        ("dev1,a,\n", "line 1"),
        ("dev1,a,01\ndev2,a,02\n", "dev2"),
        ("dev1,a,01\ndev1,b,02\n", "dev1"),
        (",a,01\n", "line 1"),
        ("[{\"endpoint\":\"dev1\"}]", "JSON"),
        ("[{\"endpoint\":\"dev1\",\"key\":\"0\"}]", "entry 1"),
    ]

    @Test(arguments: broken) func saysWhereAFileIsWrong(_ text: String, place: String) throws {
        #expect {
            _ = try self.table(text)
        } throws: {
            ($0 as? ServiceError)?.message.contains(place) == true
        }
    }

    @Test func noErrorRepeatsAKey() {
        for text in ["00112233zz", String(repeating: "ab", count: 65)] {
            #expect {
                try DeviceKeys.readKey(text, option: "--psk-key")
            } throws: {
                !String(describing: $0).contains(text)
            }
        }
    }

    @Test func aMissingFileIsSaid() {
        #expect(throws: ServiceError.self) { try CredentialTable(contentsOf: "/nonexistent/keys.csv") }
    }
}
