import torch

import losses
from network import SHAPES, Denoiser, Network
from spectrum import HOP, analysis, band_edges, band_matrix, synthesis, window


def test_analysis_and_synthesis_restore_the_signal():
    torch.manual_seed(0)
    samples, win = torch.randn(2, 20 * HOP), window()
    restored = synthesis(analysis(samples, win), win)
    assert (restored - samples)[:, :-HOP].abs().max() < 1e-5


def test_the_bands_cover_every_bin_above_the_low_ones_once():
    assert all(b - a >= 2 for a, b in zip(band_edges(), band_edges()[1:]))
    assert torch.equal(band_matrix().sum(0), (torch.arange(481) >= 64).float())


def test_an_untrained_network_passes_the_signal():
    torch.manual_seed(0)
    spectra = analysis(0.1 * torch.randn(1, 20 * HOP), window())
    with torch.no_grad():
        output = Denoiser(Network(SHAPES["full"]).eval())(spectra)
    difference = sum((a - b).square().sum() for a, b in zip(output, spectra))
    assert difference < 0.2 * sum(part.square().sum() for part in spectra)


def test_a_perfect_output_costs_nothing_but_its_snr_term():
    torch.manual_seed(0)
    samples, win = 0.1 * torch.randn(2, 40 * HOP), window()
    spectra = analysis(samples, win)
    value, snr = losses.total(spectra, spectra, samples, samples, win, 512)
    assert snr < -29.9 and abs(value - losses.SNR_WEIGHT * snr) < 1e-3


def test_silent_targets_have_no_snr():
    output = torch.randn(3, 4800)
    assert losses.negative_snr(output, torch.zeros(3, 4800)) == 0


def test_only_silent_targets_count_as_residue():
    output = torch.full((4, 4800), losses.REFERENCE_LEVEL / 10)
    target = torch.zeros(4, 4800)
    target[1:] = 0.1
    assert abs(losses.residue(output, target) - -20 / 4) < 0.05
    assert losses.residue(output[1:], target[1:]) == 0
