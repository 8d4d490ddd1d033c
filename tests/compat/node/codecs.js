// The codecs that kafkajs leaves to others: snappy in its xerial framing, lz4 frames, zstd.
'use strict'
const lz4 = require('lz4js')
const xxhash = require('lz4js/xxh32')
const snappy = require('snappyjs')
const zstd = require('@bokuweb/zstd-wasm')
const { CompressionTypes, CompressionCodecs } = require('kafkajs')

const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0])

/** One block in the framing of snappy-java: magic, version and oldest compatible version, then length and block. */
function xerial(input) {
  const block = Buffer.from(snappy.compress(input))
  const header = Buffer.alloc(20)
  XERIAL.copy(header)
  header.writeUInt32BE(1, 8)
  header.writeUInt32BE(1, 12)
  header.writeUInt32BE(block.length, 16)
  return Buffer.concat([header, block])
}

function unsnap(input) {
  if (!input.subarray(0, 8).equals(XERIAL)) return Buffer.from(snappy.uncompress(input))
  const blocks = []
  for (let at = 16; at < input.length; ) {
    const length = input.readUInt32BE(at)
    blocks.push(Buffer.from(snappy.uncompress(input.subarray(at + 4, at + 4 + length))))
    at += 4 + length
  }
  return Buffer.concat(blocks)
}

/** lz4js starts no block anew but does not say so in the frame's flags, which Kafka insists on. Ours are one block each. */
function independent(frame) {
  frame[4] |= 0x20
  frame[6] = xxhash.hash(0, frame, 4, 2) >> 8
  return frame
}

const codec = (compress, decompress) => () => ({
  compress: async (encoder) => Buffer.from(compress(encoder.buffer)),
  decompress: async (buffer) => Buffer.from(decompress(buffer)),
})

/** Registers them all; resolves when zstd is loaded. */
exports.register = async () => {
  await zstd.init()
  CompressionCodecs[CompressionTypes.Snappy] = codec(xerial, unsnap)
  CompressionCodecs[CompressionTypes.LZ4] = codec((input) => independent(lz4.compress(input)), lz4.decompress)
  CompressionCodecs[CompressionTypes.ZSTD] = codec(zstd.compress, zstd.decompress)
}
