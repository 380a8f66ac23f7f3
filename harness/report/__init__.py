"""One page to look at: a grid's records in a single HTML file that needs no network and no server."""
