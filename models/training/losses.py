"""What training minimises, between denoised and target spectra and samples."""

import math

import torch
import torch.nn.functional as F

from intelligibility import Intelligibility
from perceptual import Disturbance
from spectrum import COMPRESSION, TWENTY_MILLISECONDS, compress, parts

RESOLUTIONS = (256, 512, 1024, 2048)
REFERENCE_LEVEL = 0.05  # RMS to which every mixture is brought before the losses
SNR_CEILING = 1e-3  # no reward beyond 30 dB
RESIDUE_FLOOR = 3e-6  # no reward beyond 55 dB of attenuation
SPECTRAL_WEIGHT = 1.0  # of the errors of compressed spectra
MISSING_WEIGHT = 1.75  # of missing speech, on top of the 1 of any error
SNR_WEIGHT = 2.0  # per dB
RESIDUE_PIECE = 48000  # samples of which the level is taken in dB, so that all seconds count alike
RESIDUE_WEIGHT = 2.2  # per dB, and item without a target
PAUSE_WEIGHT = 0.22  # per dB, and item with pauses
PAUSE_FLOOR = 1e-4  # no reward beyond 40 dB there: more costs the ends of words
LEVEL_WEIGHT = 9.0  # per dB, and item that is nearly clean
CLEAN_SNR = 15  # dB; from here on the level of speech must be kept
PAUSE_RANGE = 1e-5  # a hop of the target below this part of the loudest one's power is a pause
SPEECH_RANGE = 10**-3.5  # a hop counts as speech down to this part of the loudest one's power
SILENT_POWER = 1e-2  # of a hop's spectrum
# Half a spectrum of a window that sums up to one hop, of white noise at REFERENCE_LEVEL (Parseval).
REFERENCE_HOP_POWER = REFERENCE_LEVEL**2 * TWENTY_MILLISECONDS.hop * TWENTY_MILLISECONDS.hop
PAUSE_HOPS = 20  # fewer are no pause
SPEECH_WEIGHT = 1.0  # per nat
LESSON_WEIGHT = 1.0  # of the errors of compressed spectra against another system's outputs
DISTURBANCE_WEIGHT = 2.0  # per point of PESQ's score, and item with a target
INTELLIGIBILITY_WEIGHT = 48.0  # per 1 of ESTOI, and item with a target
OPINION_WEIGHT = 1.3  # per point of DNSMOS's overall score, and item with a target
OPINION_ITEMS = 1  # of a batch that are judged
OPINION_PIECE = 3 * 48000  # samples of an item that are judged, anywhere: a tenth of a second or more


def spectral(real, imaginary, wanted_real, wanted_imaginary):
    """Squared error of compressed complex spectra and of compressed magnitudes."""
    a = compress(real, imaginary, 1e-6)
    b = compress(wanted_real, wanted_imaginary, 1e-6)
    whole = (a[1] - b[1]).square().mean() + (a[2] - b[2]).square().mean()
    return 15 * whole + 70 * asymmetric(a[0] - b[0])


def asymmetric(difference):
    """Mean square in which missing speech counts 1 + `MISSING_WEIGHT` times."""
    return (difference.square() + MISSING_WEIGHT * F.relu(-difference).square()).mean()


def magnitudes(real, imaginary, wanted_real, wanted_imaginary, scale):
    """Asymmetric error of compressed magnitudes; `scale` is applied to the power."""

    def magnitude(a, b):
        return ((a * a + b * b).clamp_min(1e-10) * scale).log().mul(COMPRESSION / 2).exp()

    return asymmetric(magnitude(real, imaginary) - magnitude(wanted_real, wanted_imaginary))


def resolution(output, target, size):
    """Compressed magnitude error of samples at one other window length."""
    win = torch.hann_window(size, device=output.device)

    def spectra(x):
        return parts(torch.fft.rfft(x.unfold(-1, size, size // 2) * win))

    scale = TWENTY_MILLISECONDS.length / size
    return magnitudes(*spectra(output), *spectra(target), scale)


def decibels(ratio):
    return 10 / math.log(10) * ratio.log()


def has_target(target):
    return target.square().sum(-1) > 1e-6 * target.shape[-1]


def negative_snr(output, target):
    """Minus the output SNR in dB, 30 at most, over the items that have a target."""
    present = has_target(target)
    if not present.any():
        return output.new_zeros(())
    signal = target[present].square().sum(-1)
    error = (output[present] - target[present]).square().sum(-1)
    return decibels(error / signal + SNR_CEILING).mean()


def residue(output, target):
    """Level of what is left of the items without a target, dB re REFERENCE_LEVEL, -55 at least.

    The mean of the levels of their seconds, summed over those items and divided by all.
    """
    silent = output[~has_target(target)]
    length = min(RESIDUE_PIECE, silent.shape[-1])
    ratio = silent.unfold(-1, length, length).square().mean(-1) / REFERENCE_LEVEL**2
    return decibels(ratio + RESIDUE_FLOOR).mean(-1).sum() / len(output)


def mean_of_present(measure, output, target):
    """The sum of a measure over the items that have a target, divided by all."""
    present = has_target(target)
    if not present.any():
        return output.new_zeros(())
    return measure(output[present], target[present]).sum() / len(output)


def perceived(output, target, opinion=None):
    """What models of hearing and listeners find, weighed; lower is better."""
    device = output.device
    value = DISTURBANCE_WEIGHT * mean_of_present(Disturbance.on(device), output, target)
    value = value - INTELLIGIBILITY_WEIGHT * mean_of_present(
        Intelligibility.on(device), output, target
    )
    if opinion:
        start = int(torch.randint(max(0, output.shape[-1] - OPINION_PIECE) + 1, ()))
        piece = slice(start, start + OPINION_PIECE)
        judged = output[:OPINION_ITEMS, piece], target[:OPINION_ITEMS, piece]
        overall = mean_of_present(lambda samples, _: opinion(samples)[:, 2], *judged)
        value = value - OPINION_WEIGHT * overall
    return value


def hop_power(spectra):
    """(B, T)"""
    return spectra[0].square().sum(-1) + spectra[1].square().sum(-1)


def relative_power(target):
    """Power of the hops of the target spectra over that of the loudest; 0 without target."""
    power = hop_power(target)
    return power / power.amax(-1, keepdim=True).clamp_min(SILENT_POWER)


def has_speech(target):
    """(B, T), 1 where a hop of the target spectra is within 35 dB of the loudest; 0 without target."""
    return (relative_power(target) > SPEECH_RANGE).float()


def pause_residue(output, target):
    """As `residue`, for the hops without speech of the items that have a target."""
    power = hop_power(target)
    quiet = ((relative_power(target) < PAUSE_RANGE) & (power.amax(-1, keepdim=True) > SILENT_POWER))
    quiet = quiet.float()
    mean = (hop_power(output) * quiet).sum(-1) / quiet.sum(-1).clamp_min(1)
    ratio = decibels(mean / REFERENCE_HOP_POWER + PAUSE_FLOOR)
    return (ratio * (quiet.sum(-1) >= PAUSE_HOPS)).sum() / len(power)


def level_change(output, target, clean):
    """Mean change of the level of speech hops in dB, either way, over the items in `clean` (B)."""
    speech = has_speech(target)
    change = decibels((hop_power(output) + SILENT_POWER) / (hop_power(target) + SILENT_POWER))
    mean = (change.abs() * speech).sum(-1) / speech.sum(-1).clamp_min(1)
    return (mean * clean).mean()


def is_clean(mixture, target):
    """(B), 1 where samples differ from their target by less than `CLEAN_SNR`."""
    noise = (mixture[:, : target.shape[1]] - target).square().sum(-1)
    return (noise < target.square().sum(-1) * 10 ** (-CLEAN_SNR / 10)).float()


def level_gain(mixture_samples):
    """Brings every item to one level (B, 1), so that quiet recordings count as much as loud ones."""
    level = mixture_samples.square().mean(-1, keepdim=True).sqrt().clamp_min(1e-5)
    return REFERENCE_LEVEL / level


def scaled(spectra, gain, front):
    """Spectra at one level; half the window has half the magnitude: that is made up for, too."""
    scale = gain[..., None] * (TWENTY_MILLISECONDS.length / front.length)
    return [part * scale for part in spectra]


def total(
    output,
    speech,
    target,
    mixture_samples,
    front,
    size,
    opinion=None,
    residue_weight=RESIDUE_WEIGHT,
):
    """The training loss, and minus the output SNR; `size` is the window length of this step.

    output and target are spectra of the front end `front`, speech is logits (B, T); `opinion` is an
    `Opinion` that shall judge, too, `residue_weight` is per dB and item without a target.
    """
    gain = level_gain(mixture_samples)
    a, b = scaled(output, gain, front), scaled(target, gain, front)
    samples = front.synthesis([part * gain[..., None] for part in output])[:, : -front.hop]
    wanted = front.synthesis([part * gain[..., None] for part in target])[:, : -front.hop]
    snr = negative_snr(samples, wanted)
    value = SPECTRAL_WEIGHT * (spectral(*a, *b) + 40 * resolution(samples, wanted, size))
    value = value + SNR_WEIGHT * snr + residue_weight * residue(samples, wanted)
    value = value + PAUSE_WEIGHT * pause_residue(a, b)
    value = value + LEVEL_WEIGHT * level_change(a, b, is_clean(mixture_samples * gain, wanted))
    value = value + perceived(samples, wanted, opinion)
    value = value + SPEECH_WEIGHT * F.binary_cross_entropy_with_logits(speech, has_speech(b))
    return value, snr.detach()


def distance(output, teacher, mixture_samples, front):
    """What distillation adds: the spectral error against the teacher's output."""
    gain = level_gain(mixture_samples)
    return spectral(*scaled(output, gain, front), *scaled(teacher, gain, front))


def lesson(output, target, taught, mixture_samples, front):
    """The error of compressed spectra against another system's outputs (`taught`).

    Only where these are nearer to the target; after DISPatch (arXiv 2509.15922).
    """
    gain = level_gain(mixture_samples)
    ours, wanted, theirs = (
        compress(*scaled(spectra, gain, front), 1e-6) for spectra in (output, target, taught)
    )

    def error(a, b):
        magnitude, real, imaginary = (x - y for x, y in zip(a, b))
        return 15 * (real.square() + imaginary.square()) + 70 * magnitude.square()

    with torch.no_grad():
        nearer = (error(theirs, wanted) < error(ours, wanted)).float()
    return (nearer * error(ours, theirs)).mean()


def weigh(weights):
    """Sets constants of this module for one training, each as NAME=WEIGHT."""
    for name, weight in (text.split("=") for text in weights):
        if name not in globals() or not name.endswith("_WEIGHT"):
            raise ValueError(f"{name} is no weight of losses.py")
        globals()[name] = float(weight)


def compile_pointwise():
    """Fuses the elementwise arithmetic: an eighth of the time, half a minute to compile."""
    global spectral, magnitudes
    spectral, magnitudes = torch.compile(spectral), torch.compile(magnitudes, dynamic=True)
