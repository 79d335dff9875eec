/** Writes binary glTF: a cube in one colour with a name, in place of a mesh that only a model could make (specification 2.0). */
import type { Tag } from './tags.ts';

/** Corners, and the two directions in which each face goes on. */
const FACES = [
  [
    [-1, -1, 1],
    [2, 0, 0],
    [0, 2, 0],
  ],
  [
    [1, -1, -1],
    [-2, 0, 0],
    [0, 2, 0],
  ],
  [
    [1, -1, 1],
    [0, 0, -2],
    [0, 2, 0],
  ],
  [
    [-1, -1, -1],
    [0, 0, 2],
    [0, 2, 0],
  ],
  [
    [-1, 1, 1],
    [2, 0, 0],
    [0, 0, -2],
  ],
  [
    [-1, -1, -1],
    [2, 0, 0],
    [0, 0, 2],
  ],
] as const;

export function writeCube(name: string, colour: readonly [number, number, number], tags: readonly Tag[]): Buffer {
  const positions: number[] = [];
  const normals: number[] = [];
  const indices: number[] = [];
  for (const [corner, along, up] of FACES) {
    const base = positions.length / 3;
    for (const [a, b] of [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 1],
    ] as const) {
      for (const axis of [0, 1, 2] as const) positions.push(corner[axis] + a * along[axis] + b * up[axis]);
      normals.push(
        (along[1] * up[2] - along[2] * up[1]) / 4,
        (along[2] * up[0] - along[0] * up[2]) / 4,
        (along[0] * up[1] - along[1] * up[0]) / 4,
      );
    }
    indices.push(base, base + 1, base + 2, base, base + 2, base + 3);
  }
  const parts = [new Float32Array(positions), new Float32Array(normals), new Uint16Array(indices)].map((array) =>
    Buffer.from(array.buffer),
  );
  const [pointBytes = 0, normalBytes = 0, indexBytes = 0] = parts.map(({ length }) => length);
  const count = positions.length / 3;
  const scene = {
    asset: { version: '2.0', generator: 'callsheet sandbox', extras: Object.fromEntries(tags.map(({ key, text }) => [key, text])) },
    scene: 0,
    scenes: [{ nodes: [0] }],
    nodes: [{ mesh: 0, name }],
    meshes: [{ name, primitives: [{ attributes: { POSITION: 0, NORMAL: 1 }, indices: 2, material: 0 }] }],
    materials: [{ name, pbrMetallicRoughness: { baseColorFactor: [...colour, 1], metallicFactor: 0, roughnessFactor: 0.8 } }],
    buffers: [{ byteLength: pointBytes + normalBytes + indexBytes }],
    bufferViews: [
      { buffer: 0, byteOffset: 0, byteLength: pointBytes, target: 34_962 },
      { buffer: 0, byteOffset: pointBytes, byteLength: normalBytes, target: 34_962 },
      { buffer: 0, byteOffset: pointBytes + normalBytes, byteLength: indexBytes, target: 34_963 },
    ],
    accessors: [
      { bufferView: 0, componentType: 5126, count, type: 'VEC3', min: [-1, -1, -1], max: [1, 1, 1] },
      { bufferView: 1, componentType: 5126, count, type: 'VEC3' },
      { bufferView: 2, componentType: 5123, count: indices.length, type: 'SCALAR' },
    ],
  };
  const json = padded(Buffer.from(JSON.stringify(scene)), 0x20);
  const data = padded(Buffer.concat(parts), 0);
  const head = Buffer.alloc(12);
  head.write('glTF', 'latin1');
  head.writeUInt32LE(2, 4);
  head.writeUInt32LE(12 + 8 + json.length + 8 + data.length, 8);
  return Buffer.concat([head, chunkHead(json.length, 'JSON'), json, chunkHead(data.length, 'BIN\0'), data]);
}

function padded(bytes: Buffer, filler: number): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4, filler)]);
}

function chunkHead(length: number, type: string): Buffer {
  const out = Buffer.alloc(8);
  out.writeUInt32LE(length);
  out.write(type, 4, 'latin1');
  return out;
}
