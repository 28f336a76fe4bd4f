"""From latents to frames: one latent at a time where that gives the same picture, else all at once.

A causal VAE of the Wan kind keeps what it needs of earlier frames in a feature cache, so that decoding latent by latent
gives the bytes that decoding them together gives, the first frames appear at once, and memory does not grow with the
length. The cache has private names: another version of the library, tiling and offload take the ordinary way.
"""

from collections.abc import Iterator
from typing import Any, Final

from rushes.engines.diffusers.libraries import diffusers, torch
from rushes.engines.diffusers.model import Model
from rushes.engines.engine import Control

STREAMED_VERSIONS: Final = ("0.42.",)
"""Versions of diffusers whose feature cache was compared with one-shot decoding, bit for bit."""
_CACHE_NAMES: Final = ("clear_cache", "post_quant_conv", "decoder", "_decode")


def streams(model: Model, kind: str) -> bool:
    """Whether a video of this kind is decoded latent by latent."""
    vae: Any = getattr(model.pipe, "vae", None)
    return (
        kind in model.family.streamed
        and type(vae).__name__ == "AutoencoderKLWan"
        and diffusers.__version__.startswith(STREAMED_VERSIONS)
        and all(hasattr(vae, name) for name in _CACHE_NAMES)
        and not vae.use_tiling
        and model.tuning.offload == "none"
    )


def decoded_stream(vae: Any, latents: Any, control: Control) -> Iterator[Any]:
    """Chunks of frames, (n, 3, height, width) in -1..1 on the device: 1 frame of the first latent, 4 of each other.

    Raises Cancelled between chunks; the VAE is left clean however it ends.
    """
    count = latents.shape[2]
    with torch.no_grad():
        latents = _denormalised(vae, latents)
        vae.clear_cache()
        try:
            hidden = vae.post_quant_conv(latents)
            for number in range(count):
                control.progress("decode", number, count)
                vae._conv_idx = [0]
                chunk = vae.decoder(
                    hidden[:, :, number : number + 1],
                    feat_cache=vae._feat_map,
                    feat_idx=vae._conv_idx,
                    first_chunk=number == 0,
                )
                if vae.config.patch_size is not None:
                    chunk = _unpatchified(chunk, vae.config.patch_size)
                yield chunk.clamp(-1.0, 1.0)[0].transpose(0, 1)
        finally:
            vae.clear_cache()
    control.progress("decode", count, count)


def to_bytes(frames: Any, *, signed: bool) -> Any:
    """uint8 on the device, as the float path rounds them; (n, 3, h, w) becomes (n, h, w, 3)."""
    frames = frames.float()
    if signed:
        frames = frames * 0.5 + 0.5
    return frames.clamp(0, 1).mul(255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous()


def _denormalised(vae: Any, latents: Any) -> Any:
    """As the pipelines do it before they decode: latents / (1 / std) + mean, in this order and type."""
    latents = latents.to(vae.device, vae.dtype)
    shape = (1, vae.config.z_dim, 1, 1, 1)
    mean = torch.tensor(vae.config.latents_mean).view(shape).to(latents.device, latents.dtype)
    inverse = 1.0 / torch.tensor(vae.config.latents_std).view(shape).to(latents.device, latents.dtype)
    return latents / inverse + mean


def _unpatchified(frames: Any, patch: int) -> Any:
    from importlib import import_module

    return import_module("diffusers.models.autoencoders.autoencoder_kl_wan").unpatchify(frames, patch_size=patch)
