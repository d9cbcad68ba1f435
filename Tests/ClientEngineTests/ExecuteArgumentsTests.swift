import Testing

@testable import ClientEngine

@Suite("Core 1.2.2 §6.3.5 ExecuteArguments")
struct ExecuteArgumentsTests {
    @Test(
        "Digits, each at most once, each with a quoted value or none",
        arguments: ["", "5", "2='10.3'", "7,0='https://www.oma.org'", "0,1,2,3,4,5,6,7,8,9", "3=''"]
    )
    func accepts(text: String) {
        #expect(ExecuteArguments.isWellFormed(Array(text.utf8)))
    }

    @Test(
        "Everything else is refused",
        arguments: [
            "a", ",", "0,", ",0", "00", "0=", "0=a", "0='a", "0=a'", "0='a''", "0,0", "0='1',0", "0 ,1", "10",
            "0='a b'", "0='a','1",
            "0='\"'", "0='\\'", "0='\u{e9}'", "0\u{0}",
        ]
    )
    func refuses(text: String) {
        #expect(!ExecuteArguments.isWellFormed(Array(text.utf8)))
    }
}
