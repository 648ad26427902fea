"""How things are computed: frames and plain values in, frames out. No session, path or clock."""
