"""Tiny pipelines with random weights, built from configuration alone and saved as ordinary folders.

They have the classes, the file layout and the rules of the published ones, and a few thousand parameters. Nothing is
fetched. torch is imported when the first one is built.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

Components = dict[str, Any]


def build(name: str, folder: Path) -> Path:
    """Save the tiny pipeline of that name below a folder, once; answers where."""
    path = folder / name
    if not path.exists():
        import torch

        torch.manual_seed(7)
        BUILDERS[name]().save_pretrained(path, safe_serialization=True)
    return path


def words_tokenizer(padding_side: str = "right", template: str | None = None) -> Any:
    """A unigram tokenizer of the letters, which ends every text as T5's does."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    letters = [chr(code) for code in range(33, 127)]
    vocabulary = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -1.0), *((letter, -2.0) for letter in letters)]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=2))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    made = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        padding_side=padding_side,
        model_max_length=1200,
    )
    made.chat_template = template
    return made


def t5(hidden: int = 32) -> Any:
    from transformers import T5Config, T5EncoderModel

    config = T5Config(
        vocab_size=128, d_model=hidden, d_kv=8, d_ff=32, num_layers=2, num_heads=4, feed_forward_proj="gated-gelu"
    )
    return T5EncoderModel(config).eval()


def umt5() -> Any:
    from transformers import UMT5Config, UMT5EncoderModel

    return UMT5EncoderModel(UMT5Config(vocab_size=128, d_model=32, d_kv=8, d_ff=32, num_layers=2, num_heads=4)).eval()


def clip_vision() -> Any:
    from transformers import CLIPVisionConfig, CLIPVisionModel

    config = CLIPVisionConfig(
        hidden_size=16, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2, image_size=32, patch_size=16
    )
    return CLIPVisionModel(config).eval()


def clip_processor() -> Any:
    from transformers import CLIPImageProcessor

    return CLIPImageProcessor(crop_size={"height": 32, "width": 32}, size={"shortest_edge": 32})


def wan_vae(*, five_b: bool = False) -> Any:
    from diffusers import AutoencoderKLWan

    size = {"z_dim": 16, "dim_mult": [1, 1, 1, 1], "num_res_blocks": 1, "temperal_downsample": [False, True, True]}
    if not five_b:
        return AutoencoderKLWan(base_dim=3, **size).eval()
    return AutoencoderKLWan(
        base_dim=3,
        decoder_base_dim=3,
        is_residual=True,
        in_channels=12,
        out_channels=12,
        patch_size=2,
        scale_factor_spatial=16,
        **size,
    ).eval()


def wan_transformer(in_channels: int = 16, **more: Any) -> Any:
    from diffusers import WanTransformer3DModel

    return WanTransformer3DModel(**_wan_shape(in_channels), **more).eval()


def _wan_shape(in_channels: int) -> dict[str, Any]:
    return {
        "patch_size": (1, 2, 2),
        "num_attention_heads": 2,
        "attention_head_dim": 12,
        "in_channels": in_channels,
        "out_channels": 16,
        "text_dim": 32,
        "freq_dim": 32,
        "ffn_dim": 32,
        "num_layers": 2,
        "rope_max_seq_len": 32,
    }


def unipc() -> Any:
    from diffusers import UniPCMultistepScheduler

    return UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0)


def flow_euler(**more: Any) -> Any:
    from diffusers import FlowMatchEulerDiscreteScheduler

    return FlowMatchEulerDiscreteScheduler(**more)


def wan_t2v() -> Any:
    from diffusers import WanPipeline

    return WanPipeline(
        tokenizer=words_tokenizer(),
        text_encoder=umt5(),
        vae=wan_vae(),
        scheduler=unipc(),
        transformer=wan_transformer(),
    )


def wan_22_t2v() -> Any:
    """Two experts, as in Wan 2.2 A14B."""
    from diffusers import WanPipeline

    return WanPipeline(
        tokenizer=words_tokenizer(),
        text_encoder=umt5(),
        vae=wan_vae(),
        scheduler=unipc(),
        transformer=wan_transformer(),
        transformer_2=wan_transformer(),
        boundary_ratio=0.875,
    )


def wan_i2v(**more: Any) -> Any:
    """As Wan 2.1: the picture goes through CLIP as well."""
    from diffusers import WanImageToVideoPipeline

    return WanImageToVideoPipeline(
        tokenizer=words_tokenizer(),
        text_encoder=umt5(),
        vae=wan_vae(),
        scheduler=flow_euler(shift=3.0),
        image_processor=clip_processor(),
        image_encoder=clip_vision(),
        transformer=wan_transformer(36, image_dim=16, added_kv_proj_dim=24, **more),
    )


def wan_flf2v() -> Any:
    """As Wan 2.1's model for two pictures: the tiny CLIP gives (32 / 16)^2 + 1 tokens for each."""
    return wan_i2v(pos_embed_seq_len=10)


def wan_22_i2v() -> Any:
    from diffusers import WanImageToVideoPipeline

    return WanImageToVideoPipeline(
        tokenizer=words_tokenizer(),
        text_encoder=umt5(),
        vae=wan_vae(),
        scheduler=unipc(),
        transformer=wan_transformer(36),
        transformer_2=wan_transformer(36),
        boundary_ratio=0.9,
    )


def wan_5b() -> Any:
    from diffusers import WanPipeline

    return WanPipeline(
        tokenizer=words_tokenizer(),
        text_encoder=umt5(),
        vae=wan_vae(five_b=True),
        scheduler=unipc(),
        transformer=wan_transformer(),
        expand_timesteps=True,
    )


def wan_vace() -> Any:
    from diffusers import WanVACEPipeline, WanVACETransformer3DModel

    transformer = WanVACETransformer3DModel(**_wan_shape(16), vace_layers=[0, 1], vace_in_channels=96).eval()
    return WanVACEPipeline(
        tokenizer=words_tokenizer(),
        text_encoder=umt5(),
        vae=wan_vae(),
        scheduler=flow_euler(shift=3.0),
        transformer=transformer,
    )


def skyreels_t2v() -> Any:
    from diffusers import SkyReelsV2Pipeline

    return SkyReelsV2Pipeline(
        tokenizer=words_tokenizer(),
        text_encoder=umt5(),
        transformer=_skyreels_transformer(),
        vae=wan_vae(),
        scheduler=unipc(),
    )


def skyreels_df() -> Any:
    from diffusers import SkyReelsV2DiffusionForcingPipeline

    return SkyReelsV2DiffusionForcingPipeline(
        tokenizer=words_tokenizer(),
        text_encoder=umt5(),
        transformer=_skyreels_transformer(inject_sample_info=True),
        vae=wan_vae(),
        scheduler=unipc(),
    )


def skyreels_i2v() -> Any:
    from diffusers import SkyReelsV2ImageToVideoPipeline

    return SkyReelsV2ImageToVideoPipeline(
        tokenizer=words_tokenizer(),
        text_encoder=umt5(),
        image_encoder=clip_vision(),
        image_processor=clip_processor(),
        transformer=_skyreels_transformer(36, image_dim=16, added_kv_proj_dim=24),
        vae=wan_vae(),
        scheduler=unipc(),
    )


def _skyreels_transformer(in_channels: int = 16, **more: Any) -> Any:
    from diffusers import SkyReelsV2Transformer3DModel

    return SkyReelsV2Transformer3DModel(**_wan_shape(in_channels), **more).eval()


def ltx() -> Any:
    from diffusers import AutoencoderKLLTXVideo, LTXPipeline, LTXVideoTransformer3DModel

    vae = AutoencoderKLLTXVideo(
        latent_channels=8,
        block_out_channels=(8, 8, 8, 8),
        decoder_block_out_channels=(8, 8, 8, 8),
        layers_per_block=(1, 1, 1, 1, 1),
        decoder_layers_per_block=(1, 1, 1, 1, 1),
    ).eval()
    transformer = LTXVideoTransformer3DModel(
        in_channels=8,
        out_channels=8,
        num_attention_heads=4,
        attention_head_dim=8,
        cross_attention_dim=32,
        num_layers=2,
        caption_channels=32,
    ).eval()
    return LTXPipeline(
        scheduler=flow_euler(), vae=vae, text_encoder=t5(), tokenizer=words_tokenizer(), transformer=transformer
    )


def ltx_condition() -> Any:
    from diffusers import LTXConditionPipeline

    parts = ltx().components
    return LTXConditionPipeline(**parts)


def hunyuan() -> Any:
    from diffusers import AutoencoderKLHunyuanVideo, HunyuanVideoPipeline, HunyuanVideoTransformer3DModel
    from transformers import CLIPTextConfig, CLIPTextModel, LlamaConfig, LlamaModel

    transformer = HunyuanVideoTransformer3DModel(
        in_channels=4,
        out_channels=4,
        num_attention_heads=2,
        attention_head_dim=10,
        num_layers=2,
        num_single_layers=1,
        num_refiner_layers=1,
        text_embed_dim=16,
        pooled_projection_dim=8,
        rope_axes_dim=(2, 4, 4),
    ).eval()
    vae = AutoencoderKLHunyuanVideo(
        latent_channels=4,
        block_out_channels=(8, 8, 8, 8),
        layers_per_block=1,
        norm_num_groups=4,
    ).eval()
    llama = LlamaConfig(
        vocab_size=128, hidden_size=16, intermediate_size=16, num_hidden_layers=4, num_attention_heads=2
    )
    clip = CLIPTextConfig(
        vocab_size=128,
        hidden_size=8,
        intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=0,
    )
    return HunyuanVideoPipeline(
        text_encoder=LlamaModel(llama).eval(),
        tokenizer=words_tokenizer(),
        transformer=transformer,
        vae=vae,
        scheduler=flow_euler(shift=7.0),
        text_encoder_2=CLIPTextModel(clip).eval(),
        tokenizer_2=words_tokenizer(),
    )


def cogvideox() -> Any:
    from diffusers import CogVideoXPipeline

    return CogVideoXPipeline(**_cogvideox_parts(4))


def cogvideox_i2v() -> Any:
    """The picture's latents come beside the noise."""
    from diffusers import CogVideoXImageToVideoPipeline

    return CogVideoXImageToVideoPipeline(**_cogvideox_parts(8))


def _cogvideox_parts(in_channels: int) -> Components:
    from diffusers import AutoencoderKLCogVideoX, CogVideoXDDIMScheduler
    from diffusers import CogVideoXTransformer3DModel as Transformer

    transformer = Transformer(
        num_attention_heads=2,
        attention_head_dim=16,
        in_channels=in_channels,
        out_channels=4,
        time_embed_dim=8,
        text_embed_dim=32,
        num_layers=2,
        sample_width=12,
        sample_height=8,
        sample_frames=9,
        use_rotary_positional_embeddings=True,
    ).eval()
    vae = AutoencoderKLCogVideoX(
        latent_channels=4,
        block_out_channels=(8, 8, 8, 8),
        layers_per_block=1,
        norm_num_groups=2,
        sample_height=64,
        sample_width=96,
    ).eval()
    return {
        "tokenizer": words_tokenizer(),
        "text_encoder": t5(),
        "vae": vae,
        "transformer": transformer,
        "scheduler": CogVideoXDDIMScheduler(),
    }


def ltx_2() -> Any:
    from diffusers import LTX2Pipeline
    from engines.tiny_ltx_2 import components

    return LTX2Pipeline(**components(words_tokenizer("left")))


def hunyuan_15() -> Any:
    from diffusers import HunyuanVideo15Pipeline

    return HunyuanVideo15Pipeline(**_hunyuan_15_parts("t2v"))


def hunyuan_15_i2v() -> Any:
    """The picture goes through SigLIP, whose 27 x 27 tokens the pipeline counts on."""
    from diffusers import HunyuanVideo15ImageToVideoPipeline
    from transformers import SiglipImageProcessor, SiglipVisionConfig, SiglipVisionModel

    config = SiglipVisionConfig(
        hidden_size=12, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=54, patch_size=2
    )
    return HunyuanVideo15ImageToVideoPipeline(
        **_hunyuan_15_parts("i2v"),
        image_encoder=SiglipVisionModel(config).eval(),
        feature_extractor=SiglipImageProcessor(size={"height": 54, "width": 54}),
    )


def _hunyuan_15_parts(task: str) -> Components:
    from diffusers import (
        AutoencoderKLHunyuanVideo15,
        ClassifierFreeGuidance,
        HunyuanVideo15Transformer3DModel,
    )
    from transformers import ByT5Tokenizer, Qwen2_5_VLTextConfig, Qwen2_5_VLTextModel

    transformer = HunyuanVideo15Transformer3DModel(
        in_channels=9,
        out_channels=4,
        num_attention_heads=2,
        attention_head_dim=8,
        num_layers=2,
        num_refiner_layers=1,
        text_embed_dim=16,
        text_embed_2_dim=32,
        image_embed_dim=12,
        rope_axes_dim=(2, 2, 4),
        target_size=16,
        task_type=task,
    ).eval()
    vae = AutoencoderKLHunyuanVideo15(
        latent_channels=4, block_out_channels=(16, 16, 16, 16, 16), layers_per_block=1
    ).eval()
    qwen = Qwen2_5_VLTextConfig(
        vocab_size=128,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=4,
        num_attention_heads=2,
        num_key_value_heads=2,
        rope_scaling={"mrope_section": [1, 1, 2], "rope_type": "default", "type": "default"},
        rope_theta=1000000.0,
    )
    template = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
    return {
        "text_encoder": Qwen2_5_VLTextModel(qwen).eval(),
        "tokenizer": words_tokenizer(template=template),
        "transformer": transformer,
        "vae": vae,
        "scheduler": flow_euler(shift=7.0),
        "text_encoder_2": _byt5(),
        "tokenizer_2": ByT5Tokenizer(),
        "guider": ClassifierFreeGuidance(guidance_scale=1.0),
    }


def _byt5() -> Any:
    from transformers import T5Config, T5EncoderModel

    return T5EncoderModel(T5Config(vocab_size=384, d_model=32, d_kv=8, d_ff=32, num_layers=1, num_heads=4)).eval()


BUILDERS: dict[str, Callable[[], Any]] = {
    "wan-t2v": wan_t2v,
    "wan-i2v": wan_i2v,
    "wan-flf2v": wan_flf2v,
    "wan-22-t2v": wan_22_t2v,
    "wan-22-i2v": wan_22_i2v,
    "wan-5b": wan_5b,
    "wan-vace": wan_vace,
    "skyreels-t2v": skyreels_t2v,
    "skyreels-i2v": skyreels_i2v,
    "skyreels-df": skyreels_df,
    "ltx": ltx,
    "ltx-condition": ltx_condition,
    "hunyuan": hunyuan,
    "cogvideox": cogvideox,
    "cogvideox-i2v": cogvideox_i2v,
    "ltx-2": ltx_2,
    "hunyuan-15": hunyuan_15,
    "hunyuan-15-i2v": hunyuan_15_i2v,
}
