public import CoAPMessages

/// What a handler throws to refuse a write or an execute: the code that the server gets.
public struct Refusal: Error, Hashable, Sendable {
    /// The code; 4.xx or 5.xx.
    public let code: CoAPCode

    /// Creates a refusal; a code that is no error becomes 5.00.
    public init(_ code: CoAPCode) {
        self.code = code.codeClass == 4 || code.codeClass == 5 ? code : .internalServerError
    }

    /// 4.00: the value makes no sense here.
    public static let badRequest = Refusal(.badRequest)
    /// 4.05: the device cannot do this.
    public static let notAllowed = Refusal(.methodNotAllowed)
    /// 5.03: not now.
    public static let unavailable = Refusal(.serviceUnavailable)
}
