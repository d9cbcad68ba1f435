public import CoAPTransport
public import NameResolution
internal import Primitives

/// The way from a descriptor back to its resolver.
private final class ResolverReference {
    // Unretained: a resolver that goes tells the loop to forget its descriptors first.
    var resolver: Unmanaged<NameResolver>?
}

extension NameResolver {
    /// Creates a resolver whose descriptors an event loop watches.
    ///
    /// - Throws: what ``init(configuration:onDescriptorChange:)`` throws.
    public static func watched(
        by loop: EventLoop,
        configuration: Configuration = Configuration()
    ) throws(NameResolutionError) -> NameResolver {
        let reference = ResolverReference()
        let resolver = try NameResolver(configuration: configuration) { descriptor, readable, writable in
            loop.watch(descriptor: descriptor, readable: readable, writable: writable) { isReadable, isWritable in
                reference.resolver?.takeUnretainedValue()
                    .process(descriptor: descriptor, readable: isReadable, writable: isWritable, now: loop.now)
            }
        }
        reference.resolver = Unmanaged.passUnretained(resolver)
        return resolver
    }
}
