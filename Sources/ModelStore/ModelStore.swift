/// ModelStore.
