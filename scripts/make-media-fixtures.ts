/** Makes test/fixtures/media anew: small films, sounds and pictures by ffmpeg, with what ffprobe says of each. Needs both; run by hand. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '..', 'test', 'fixtures', 'media');
const PICTURES = ['-f', 'lavfi', '-i', 'testsrc2=size=48x32:rate=24:duration=0.5'];
const SOUND = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000:duration=0.5'];
const STILL = [...PICTURES, '-frames:v', '1', '-update', '1'];
const both = (...codecs: readonly string[]) => [...PICTURES, ...SOUND, ...codecs];

const FILES: Readonly<Record<string, readonly string[]>> = {
  'h264-aac.mp4': both('-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-c:a', 'aac', '-ac', '2'),
  'h264-faststart.mp4': both('-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-c:a', 'aac', '-movflags', '+faststart'),
  'h264-10bit.mp4': [...PICTURES, '-c:v', 'libx264', '-pix_fmt', 'yuv420p10le'],
  'hevc-10bit.mp4': [...PICTURES, '-c:v', 'libx265', '-x265-params', 'log-level=error', '-pix_fmt', 'yuv420p10le', '-tag:v', 'hvc1'],
  'av1.mp4': [...PICTURES, '-c:v', 'libaom-av1', '-cpu-used', '8', '-pix_fmt', 'yuv420p'],
  'vp9.mp4': [...PICTURES, '-c:v', 'libvpx-vp9', '-pix_fmt', 'yuv420p'],
  'mjpeg.mp4': [...PICTURES, '-c:v', 'mjpeg', '-pix_fmt', 'yuvj420p'],
  'fragmented.mp4': both('-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-c:a', 'aac', '-movflags', 'frag_keyframe+empty_moov', '-g', '4'),
  'tagged.mp4': [
    ...PICTURES,
    '-c:v',
    'libx264',
    '-pix_fmt',
    'yuv420p',
    '-movflags',
    'use_metadata_tags',
    '-metadata',
    'prompt={"1":{"class_type":"A","inputs":{}}}',
  ],
  'ntsc.mp4': ['-f', 'lavfi', '-i', 'testsrc2=size=48x32:rate=30000/1001:duration=1', '-c:v', 'libx264', '-pix_fmt', 'yuv420p'],
  'prores-4444.mov': [...PICTURES, '-vf', 'format=yuva444p10le', '-c:v', 'prores_ks', '-profile:v', '4', '-alpha_bits', '16'],
  'prores-422.mov': both('-c:v', 'prores_ks', '-profile:v', '2', '-c:a', 'pcm_s24le'),
  'qtrle.mov': [...PICTURES, '-vf', 'format=argb', '-c:v', 'qtrle'],
  'png.mov': [...PICTURES, '-vf', 'format=rgba', '-c:v', 'png'],
  'sound-only.mp4': [...SOUND, '-c:a', 'aac'],
  'aac.m4a': [...SOUND, '-c:a', 'aac', '-ac', '1'],
  'alac.m4a': [...SOUND, '-c:a', 'alac', '-ac', '2'],
  'vp9-opus.webm': both('-c:v', 'libvpx-vp9', '-pix_fmt', 'yuv420p', '-c:a', 'libopus'),
  'vp9-alpha.webm': [...PICTURES, '-vf', 'format=yuva420p', '-c:v', 'libvpx-vp9'],
  'vp8-vorbis.webm': both('-c:v', 'libvpx', '-c:a', 'libvorbis', '-ac', '2'),
  'live.webm': [...PICTURES, '-c:v', 'libvpx', '-f', 'webm', '-live', '1'],
  'ffv1-flac.mkv': both('-c:v', 'ffv1', '-c:a', 'flac', '-sample_fmt', 's16'),
  'h264-aac.mkv': both('-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-c:a', 'aac'),
  'opus.webm': [...SOUND, '-c:a', 'libopus'],
  'mjpeg-pcm.avi': both('-c:v', 'mjpeg', '-pix_fmt', 'yuvj420p', '-c:a', 'pcm_s16le'),
  'theora.ogv': both('-c:v', 'libtheora', '-c:a', 'libvorbis', '-ac', '2'),
  'pcm16.wav': [...SOUND, '-t', '0.1', '-c:a', 'pcm_s16le', '-ac', '2'],
  'pcm24-six.wav': [...SOUND, '-t', '0.1', '-c:a', 'pcm_s24le', '-ac', '6'],
  'float.wav': [...SOUND, '-t', '0.1', '-c:a', 'pcm_f32le', '-ar', '44100'],
  'long.wav': [...SOUND, '-t', '0.1', '-c:a', 'pcm_s16le', '-rf64', 'always'],
  'stereo.flac': [...SOUND, '-c:a', 'flac', '-sample_fmt', 's16', '-ac', '2'],
  'deep.flac': [...SOUND, '-c:a', 'flac', '-sample_fmt', 's32', '-bits_per_raw_sample', '24'],
  'vbr.mp3': [...SOUND, '-c:a', 'libmp3lame', '-q:a', '4', '-ac', '2'],
  'cbr.mp3': [...SOUND, '-c:a', 'libmp3lame', '-b:a', '128k', '-write_xing', '0', '-id3v2_version', '0'],
  'low.mp3': [...SOUND, '-c:a', 'libmp3lame', '-ar', '22050', '-ac', '1', '-b:a', '32k'],
  'opus.opus': [...SOUND, '-c:a', 'libopus', '-ac', '2'],
  'vorbis.ogg': [...SOUND, '-c:a', 'libvorbis', '-ac', '2'],
  'flac.oga': [...SOUND, '-c:a', 'flac', '-sample_fmt', 's16', '-f', 'ogg'],
  'stream.aac': [...SOUND, '-c:a', 'aac', '-ac', '2'],
  'pcm.aiff': [...SOUND, '-t', '0.1', '-c:a', 'pcm_s16be', '-ac', '2'],
  'half.exr': [...STILL, '-vf', 'format=gbrapf32le', '-c:v', 'exr', '-format', 'half', '-compression', 'zip16'],
  'float.exr': [...STILL, '-vf', 'format=gbrpf32le', '-c:v', 'exr', '-format', 'float', '-compression', 'none'],
  'rgb.tiff': [...STILL, '-pix_fmt', 'rgb24'],
  'deep.tiff': [...STILL, '-pix_fmt', 'rgba64le'],
  'rgb.bmp': [...STILL, '-pix_fmt', 'bgr24'],
  'rgba.bmp': [...STILL, '-pix_fmt', 'bgra'],
  'anim.apng': [...PICTURES, '-pix_fmt', 'rgba', '-f', 'apng', '-plays', '0'],
  'anim.gif': [...PICTURES, '-vf', 'fps=10'],
  'deep.png': [...STILL, '-pix_fmt', 'rgba64be'],
  'grey.png': [...STILL, '-pix_fmt', 'gray'],
  'palette.png': [...STILL, '-vf', 'format=rgb24,split[a][b];[a]palettegen[p];[b][p]paletteuse', '-pix_fmt', 'pal8'],
};

function run(command: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}\n${stderr}`);
  return stdout;
}

const KEPT = [
  'codec_type',
  'codec_name',
  'width',
  'height',
  'pix_fmt',
  'bits_per_raw_sample',
  'channels',
  'sample_rate',
  'avg_frame_rate',
  'nb_read_frames',
  'duration',
];

rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
const truth: Record<string, unknown> = {};
for (const [name, args] of Object.entries(FILES)) {
  const path = join(FOLDER, name);
  // Bit-exact: the same ffmpeg writes the same bytes.
  run('ffmpeg', ['-v', 'error', '-y', '-fflags', '+bitexact', ...args, '-flags:v', '+bitexact', '-flags:a', '+bitexact', path]);
  const probed = JSON.parse(run('ffprobe', ['-v', 'error', '-count_frames', '-show_streams', '-show_format', '-of', 'json', path])) as {
    streams: readonly Record<string, unknown>[];
    format: Record<string, unknown>;
  };
  const streams = probed.streams.map((stream) => Object.fromEntries(KEPT.filter((key) => key in stream).map((key) => [key, stream[key]])));
  truth[name] = { duration: probed.format['duration'], streams };
}
writeFileSync(join(FOLDER, 'ffprobe.json'), `${JSON.stringify(truth, null, 1)}\n`);
