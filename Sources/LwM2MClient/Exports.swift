// Paths, values and definitions are the vocabulary of this library's users: one import suffices.
@_exported public import LwM2MModel
