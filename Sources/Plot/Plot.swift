/// Plot.
