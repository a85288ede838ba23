// Plays one answer on a connection, in time: head, opening, steps at their deadlines, closing; and the faults that
// break an answer on its way. It writes straight into the ledger's entry, and tells once how it ended.
import { gzipSync } from "node:zlib";
import { allBytes, byteLength, bytesOf, frame, headOf } from "./course.ts";
import type { Course, Cut } from "./course.ts";
import type { Piece, StreamBody } from "./families/answer.ts";
import type { Deadline, Pacer } from "./pacer.ts";
import type { Wire } from "./wire.ts";

export interface Watch {
  headSent(status: number): void;
  progress(steps: number): void;
  /** Sent as meant, or broken off; not called when the far side leaves first. */
  ended(how: "finished" | "cut"): void;
}

/** A burst is written in blocks of about this size, so that it can be held back. */
const BLOCK_BYTES = 64 * 1024;
/** Lets the last bytes arrive before a reset overtakes them. */
const RESET_DELAY_MS = 5;

export class Performance {
  private readonly course: Course;
  private readonly wire: Wire;
  private readonly pacer: Pacer;
  private readonly watch: Watch;
  private readonly turn: () => void;
  private deadline: Deadline | undefined;
  private headSent = false;
  private opened = false;
  private step = 0;
  private over = false;
  private slices: Piece[] | undefined;

  constructor(course: Course, wire: Wire, stage: { readonly pacer: Pacer; readonly watch: Watch }) {
    this.course = course;
    this.wire = wire;
    this.pacer = stage.pacer;
    this.watch = stage.watch;
    this.turn = () => this.play();
  }

  start(): void {
    this.play();
  }

  /** The far side is gone. */
  abandon(): void {
    this.over = true;
    this.deadline?.cancel();
  }

  private play(): void {
    this.deadline = undefined;
    if (this.over) return;
    if (this.wire.blocked) {
      this.wire.onRoom = this.turn;
      return;
    }
    const { course } = this;
    const now = this.pacer.clock();
    if (now < course.headAtMs) return this.sleep(course.headAtMs);
    if (!this.headSent && course.answer.body.kind === "stream" && now < course.firstAtMs) {
      this.send(this.head());
      return this.sleep(course.firstAtMs);
    }
    if (now < course.firstAtMs) return this.sleep(course.firstAtMs);
    if (course.bodiless) {
      this.send(this.head());
      return this.finish("finished");
    }
    if (course.slices !== undefined) return this.playSlices(course.slices);
    if (course.answer.body.kind === "whole") return this.playWhole(course.answer.body.data);
    this.playStream(course.answer.body, now);
  }

  private playWhole(data: Piece): void {
    const { cut } = this.course;
    const bytes = this.course.gzip ? gzipSync(data) : data;
    if (cut === undefined) {
      this.send(this.head(byteLength(bytes)), frame(this.course.framing, bytes), this.end());
      this.watch.progress(this.course.answer.steps);
      return this.finish("finished");
    }
    const whole = bytesOf(bytes);
    const part =
      cut.how === "error" ? Buffer.from(JSON.stringify(cut.error)) : whole.subarray(0, whole.length >> 1);
    this.send(this.head(whole.length));
    if (cut.after > 0 || cut.how === "error") this.send(frame(this.course.framing, part));
    this.breakOff(cut);
  }

  private playStream(body: StreamBody, now: number): void {
    const { course } = this;
    const { cut, answer, firstAtMs, gapMs } = course;
    const last = cut === undefined ? answer.steps : Math.min(cut.after, answer.steps);
    let block = this.head();
    if (cut?.after === 0) {
      this.send(block);
      return this.breakOff(cut);
    }
    if (!this.opened) {
      this.opened = true;
      block = this.join(block, body.opening);
    }
    const before = this.step;
    while (this.step < last) {
      const due = firstAtMs + this.step * gapMs;
      if (due > now) {
        this.send(block);
        if (this.step > before) this.watch.progress(this.step);
        return this.sleep(due);
      }
      block = this.join(block, body.step(this.step));
      this.step += 1;
      if (block.length >= BLOCK_BYTES) {
        this.send(block);
        block = "";
        if (this.wire.blocked) {
          this.watch.progress(this.step);
          this.wire.onRoom = this.turn;
          return;
        }
      }
    }
    if (cut !== undefined) {
      this.send(block);
      if (this.step > before) this.watch.progress(this.step);
      // It breaks when the next step would have come, apart from the one before it.
      const due = firstAtMs + this.step * gapMs;
      return due > now ? this.sleep(due) : this.breakOff(cut);
    }
    this.send(this.join(block, body.closing()), this.end());
    if (this.step > before) this.watch.progress(this.step);
    this.finish("finished");
  }

  /** The whole body in pieces, each its own write and, if chunked, its own chunk. */
  private playSlices(rule: { readonly bytes: number; readonly intervalMs: number }): void {
    if (this.slices === undefined) {
      const body = allBytes(this.course);
      this.slices = [];
      for (let at = 0; at < body.length; at += rule.bytes)
        this.slices.push(body.subarray(at, at + rule.bytes));
      this.send(this.head(body.length));
    }
    const slice = this.slices[this.step];
    if (slice === undefined) {
      this.send(this.end());
      this.watch.progress(this.course.answer.steps);
      return this.finish("finished");
    }
    this.send(frame(this.course.framing, slice));
    this.step += 1;
    if (this.wire.blocked) this.wire.onRoom = this.turn;
    else if (rule.intervalMs === 0) setImmediate(this.turn);
    else this.sleep(this.course.firstAtMs + this.step * rule.intervalMs);
  }

  private breakOff(cut: Cut): void {
    switch (cut.how) {
      case "hang":
        return;
      case "reset": {
        this.deadline = this.pacer.at(this.pacer.clock() + RESET_DELAY_MS, () => {
          this.watch.ended("cut");
          this.wire.reset();
        });
        return;
      }
      case "close":
        this.finish("cut");
        return this.wire.end();
      case "bad_chunk":
        this.send("xyz\r\nnot a chunk\r\n");
        this.finish("cut");
        return this.wire.end();
      case "error":
        if (this.course.answer.body.kind === "stream")
          this.send(frame(this.course.framing, this.course.answer.body.errorEvent(cut.error)));
        this.send(this.end());
        return this.finish("cut");
      case "end":
        this.send(this.end());
        return this.finish("cut");
    }
  }

  private finish(how: "finished" | "cut"): void {
    this.over = true;
    this.watch.ended(how);
    if (!this.course.keepAlive || this.course.framing === "close") this.wire.end();
  }

  private sleep(untilMs: number): void {
    this.deadline = this.pacer.at(untilMs, this.turn);
  }

  private send(...pieces: readonly Piece[]): void {
    let text = "";
    for (const piece of pieces) {
      if (typeof piece === "string") text += piece;
      else {
        this.wire.send(text);
        this.wire.send(piece);
        text = "";
      }
    }
    this.wire.send(text);
  }

  /** Adds a framed piece to a block of text; bytes go out at once, after the block. */
  private join(block: string, piece: Piece): string {
    const framed = frame(this.course.framing, this.course.gzip ? gzipSync(piece) : piece);
    if (typeof framed === "string") return block + framed;
    this.send(block, framed);
    return "";
  }

  private end(): string {
    return this.course.framing === "chunked" ? "0\r\n\r\n" : "";
  }

  /** The head, the first time it is asked for. */
  private head(bodyBytes?: number): string {
    if (this.headSent) return "";
    this.headSent = true;
    this.watch.headSent(this.course.answer.status);
    return headOf(this.course, bodyBytes);
  }
}
