"""The pieces of a layer whose backward pass is written out: fewer passes over memory than autograd would make."""

from collections.abc import Iterator
from typing import Any

import torch
from torch.autograd import Function

_BLOCK = 1 << 17  # elements worked on at a time, so that they stay in the processor's cache


class LoraLinear(Function):  # type: ignore[misc]
    """x W' + b + scale (d A') B' with frozen W and b; d is x, or x after dropout."""

    @staticmethod
    def forward(ctx: Any, x: Any, dropped: Any, weight: Any, bias: Any, down: Any, up: Any, scale: float) -> Any:
        """x, d (tokens, inputs; d None without dropout), W (outputs, inputs), A (rank, inputs), B (outputs, rank)."""
        out = torch.nn.functional.linear(x, weight, bias)
        read = x if dropped is None else dropped
        small = read @ down.to(x.dtype).t()
        out.addmm_(small, up.to(x.dtype).t(), alpha=scale)
        ctx.save_for_backward(read, weight, down, up, small)
        ctx.scale, ctx.same = scale, dropped is None
        return out

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> tuple[Any, ...]:
        """Gradients of x and d (where they are wanted), A and B."""
        read, weight, down, up, small = ctx.saved_tensors
        (grad,) = upstream
        # Thin products are many times faster with the thin matrix on the left (measured: 6x at 460 x 4864 x 4).
        narrow = (up.to(grad.dtype).t() @ grad.t()).t().mul_(ctx.scale)
        into = grad @ weight if ctx.needs_input_grad[0] else None
        through = None
        if ctx.same and into is not None:
            into.addmm_(narrow, down.to(grad.dtype))
        elif ctx.needs_input_grad[1]:
            through = narrow @ down.to(grad.dtype)
        down_grad = (narrow.t() @ read).to(down.dtype)
        up_grad = (small.t() @ grad).t().to(up.dtype).mul_(ctx.scale)
        return into, through, None, None, down_grad, up_grad, None


class RmsNorm(Function):  # type: ignore[misc]
    """x / rms(x) * weight over the last dimension, computed in fp32, with a frozen weight."""

    @staticmethod
    def forward(ctx: Any, x: Any, weight: Any, eps: float) -> Any:
        """x (..., size)."""
        wide = x.float()
        scale = torch.linalg.vector_norm(wide, dim=-1, keepdim=True).square_().div_(x.shape[-1]).add_(eps).rsqrt_()
        ctx.save_for_backward(x, weight, scale)
        return (wide * scale).to(x.dtype) * weight

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> tuple[Any, None, None]:
        """Gradient of x."""
        x, weight, scale = ctx.saved_tensors
        grad = (upstream[0] * weight).float()
        normed = x.float() * scale
        inner = torch.linalg.vecdot(grad, normed).div_(x.shape[-1])[..., None]
        return grad.sub_(normed.mul_(inner)).mul_(scale).to(x.dtype), None, None


class SwiGlu(Function):  # type: ignore[misc]
    """silu(gate) * up."""

    @staticmethod
    def forward(ctx: Any, gate: Any, up: Any) -> Any:
        """gate and up (tokens, size)."""
        ctx.save_for_backward(gate, up)
        out = torch.empty_like(gate)
        for rows in _blocks(gate):
            torch.mul(torch.nn.functional.silu(gate[rows]), up[rows], out=out[rows])
        return out

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> tuple[Any, Any]:
        """Gradients of gate and up; with s = sigmoid(gate), silu' = s + gate s (1 - s)."""
        gate, up = ctx.saved_tensors
        return _glu_backward(gate, up, upstream[0])


def _glu_backward(gate: Any, up: Any, grad: Any) -> tuple[Any, Any]:
    gate_grad, up_grad = torch.empty_like(gate), torch.empty_like(up)
    for rows in _blocks(gate):
        slope, silu, above = gate_grad[rows], up_grad[rows], grad[rows]
        torch.sigmoid(gate[rows], out=slope)
        torch.mul(gate[rows], slope, out=silu)
        slope.addcmul_(silu, slope, value=-1).add_(silu)
        slope.mul_(up[rows]).mul_(above)
        silu.mul_(above)
    return gate_grad, up_grad


class GluLinear(Function):  # type: ignore[misc]
    """LoraLinear of SwiGlu: the product silu(gate) * up, the largest thing of a layer, is made anew, not kept."""

    @staticmethod
    def forward(ctx: Any, gate: Any, up: Any, weight: Any, bias: Any, down: Any, wide: Any, scale: float) -> Any:
        """gate and up (tokens, inner), W (outputs, inner), A (rank, inner), B (outputs, rank)."""
        inner = SwiGlu.forward(_Unkept(), gate, up)
        out = torch.nn.functional.linear(inner, weight, bias)
        small = inner @ down.to(inner.dtype).t()
        out.addmm_(small, wide.to(inner.dtype).t(), alpha=scale)
        ctx.save_for_backward(gate, up, weight, down, wide, small)
        ctx.scale = scale
        return out

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> tuple[Any, ...]:
        """Gradients of gate, up, A and B."""
        gate, up, weight, down, wide, small = ctx.saved_tensors
        (grad,) = upstream
        narrow = (wide.to(grad.dtype).t() @ grad.t()).t().mul_(ctx.scale)
        down_grad = (narrow.t() @ SwiGlu.forward(_Unkept(), gate, up)).to(down.dtype)
        wide_grad = (small.t() @ grad).t().mul_(ctx.scale).to(wide.dtype)
        into = (grad @ weight).addmm_(narrow, down.to(grad.dtype))
        return *_glu_backward(gate, up, into), None, None, down_grad, wide_grad, None


class _Unkept:
    """A context that keeps nothing."""

    def save_for_backward(self, *_: Any) -> None:
        """Nothing."""


def _blocks(x: Any) -> Iterator[slice]:
    step = max(1, _BLOCK // x.shape[-1]) if x.device.type == "cpu" else len(x)
    for start in range(0, len(x), step):
        yield slice(start, start + step)
