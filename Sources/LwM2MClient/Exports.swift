// Paths, values, definitions and profiles are the vocabulary of this library's users: one import suffices.
@_exported public import BootstrapURIs
@_exported public import LwM2MModel
