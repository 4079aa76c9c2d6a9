/// AudioHost.
