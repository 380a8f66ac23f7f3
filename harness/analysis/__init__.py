"""Numbers from records: arrays and frames in, arrays and frames out. No torch, no Ray, no matplotlib."""
