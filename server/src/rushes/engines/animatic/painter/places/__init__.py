"""The places a scene can be set in; each module lists the passes of one, back to front."""
