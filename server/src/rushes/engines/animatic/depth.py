"""A guess at nearness from picture cues: 0 far, 1 near. No weights; wrong at times, smooth always."""

import cv2
import numpy as np

from rushes.engines.animatic.pixels import F32, U8, blur, f32, resize_f32, u8


def nearness(rgb: U8, seed: int) -> F32:
    """Nearness in [0, 1] for a small RGB picture, of its height and width.

    A ground plane (low is near), how far a colour is from those of the border, saliency by spectral residual (Hou and
    Zhang, CVPR 2007), local sharpness and the dark channel (He, Sun and Tang, CVPR 2009; haze is far); sky is far.
    Edges follow the picture by guided filtering (He, Sun and Tang, ECCV 2010). The near side is widened last, so that
    background is pulled along with an outline instead of tearing it.
    """
    height, width = rgb.shape[:2]
    image = f32(f32(rgb) / 255)
    guide = f32(image @ np.array([0.2126, 0.7152, 0.0722], np.float32))
    rows = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    guess = 0.46 * rows**1.3 + 0.30 * _stands_out(rgb, seed) + 0.14 * _salience(guide) + 0.16 * _sharpness(guide)
    guess = guess - 0.25 * _dark(image) * (1.2 - rows)
    guess = f32(guess * (1 - 0.85 * _sky(image, guide)))
    guess = _guided(guide, guess, max(width // 16, 2), 2e-3)
    guess = _guided(guide, guess, max(width // 40, 1), 5e-4)
    low, high = (float(value) for value in np.percentile(guess, (2, 98)))
    guess = f32(np.clip((guess - low) / max(high - low, 1e-3), 0, 1))
    side = max(width // 64, 1) * 2 + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    # More along than across: a nearness that changes along an upright thing would bend it when the camera trucks.
    return blur(f32(cv2.dilate(guess, kernel)), width / 90, width / 20)


def steepest(near: F32) -> tuple[float, float]:
    """The largest slope of a nearness map per half width: in any direction, and downward."""
    across = f32(np.diff(near, axis=1))[:-1, :]
    down = f32(np.diff(near, axis=0))[:, :-1]
    half = near.shape[1] / 2
    return float(np.sqrt((across**2 + down**2).max())) * half, float(np.abs(down).max()) * half


def _stands_out(rgb: U8, seed: int) -> F32:
    """Distance in CIELAB to the nearest of four colours of the border, weighted towards the centre; 0 to 1."""
    height, width = rgb.shape[:2]
    lab = f32(cv2.cvtColor(f32(rgb) / 255, cv2.COLOR_RGB2LAB))
    band = max(width // 20, 2)
    border = np.concatenate([lab[:band].reshape(-1, 3), lab[:, :band].reshape(-1, 3), lab[:, -band:].reshape(-1, 3)])
    cv2.setRNGSeed(seed & 0x7FFFFFFF)
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 12, 1.0)
    _, _, centres = cv2.kmeans(f32(border), 4, np.empty(0, np.int32), criteria, 1, cv2.KMEANS_PP_CENTERS)
    distance = np.sqrt(((lab[:, :, None, :] - f32(centres)) ** 2).sum(axis=3).min(axis=2))
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    centre = np.exp(-(x**2 + 0.7 * y**2) / 0.6)
    return f32(np.clip(distance / 60, 0, 1) * centre)


def _salience(guide: F32) -> F32:
    """Spectral residual: what the smoothed log spectrum does not explain; 0 to 1."""
    small = resize_f32(guide, 64, 64)
    spectrum = np.fft.fft2(small)
    size = f32(np.log(np.abs(spectrum) + 1e-6))
    residual = size - f32(cv2.blur(size, (3, 3)))
    back = np.abs(np.fft.ifft2(np.exp(residual + 1j * np.angle(spectrum)))) ** 2
    salience = blur(f32(back), 3.0)
    salience = f32(salience / max(float(salience.max()), 1e-12))
    return resize_f32(salience, guide.shape[1], guide.shape[0])


def _sharpness(guide: F32) -> F32:
    width = guide.shape[1]
    detail = f32(np.abs(f32(cv2.Laplacian(guide, cv2.CV_32F, ksize=3))))
    side = max(width // 40, 1) * 2 + 1
    spread = blur(f32(cv2.dilate(detail, np.ones((side, side), np.uint8))), width / 40)
    return f32(np.clip(spread / max(float(np.percentile(spread, 98)), 1e-3), 0, 1))


def _dark(image: F32) -> F32:
    """The dark channel: high where even the darkest colour nearby is bright, as in haze and sky."""
    side = max(image.shape[1] // 32, 1) * 2 + 1
    return f32(cv2.erode(f32(image.min(axis=2)), np.ones((side, side), np.uint8)))


def _sky(image: F32, guide: F32) -> F32:
    """Smooth and bright or blue, in one piece with the top edge; 0 to 1, soft at its outline."""
    red, blue = image[:, :, 0], image[:, :, 2]
    gradient = blur(f32(np.abs(f32(cv2.Laplacian(guide, cv2.CV_32F, ksize=3)))), 2.0)
    mask = (gradient < 0.03) & ((guide > 0.62) | ((blue > red * 1.12) & (blue > 0.3)))
    _, labels = cv2.connectedComponents(mask.astype(np.uint8))
    labels = np.asarray(labels, dtype=np.int32)
    touching = np.unique(labels[0][mask[0]])
    if touching.size == 0:
        return np.zeros(guide.shape, np.float32)
    return blur(f32(u8(np.isin(labels, touching))), guide.shape[1] / 100)


def _guided(guide: F32, values: F32, radius: int, softness: float) -> F32:
    """Guided filter with a grey guide: smooth where the guide is, with its edges where it has some."""
    size = (2 * radius + 1, 2 * radius + 1)

    def mean(image: F32) -> F32:
        return f32(cv2.boxFilter(image, cv2.CV_32F, size, borderType=cv2.BORDER_REFLECT))

    guide_mean, values_mean = mean(guide), mean(values)
    slope = (mean(guide * values) - guide_mean * values_mean) / (mean(guide * guide) - guide_mean**2 + softness)
    return mean(f32(slope)) * guide + mean(f32(values_mean - slope * guide_mean))
