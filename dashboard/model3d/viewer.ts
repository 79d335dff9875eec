/** A 3D model that can be turned: drawn with WebGL, read when the first one is opened. */
import {
  AmbientLight,
  Box3,
  type BufferGeometry,
  DirectionalLight,
  Group,
  HemisphereLight,
  Mesh,
  MeshStandardMaterial,
  type Object3D,
  PerspectiveCamera,
  Scene,
  Spherical,
  TextureLoader,
  Vector3,
  WebGLRenderer,
} from 'three';
import { OrbitControls } from 'three/addons/controls/OrbitControls.js';
import { GLTFLoader } from 'three/addons/loaders/GLTFLoader.js';
import { OBJLoader } from 'three/addons/loaders/OBJLoader.js';
import { PLYLoader } from 'three/addons/loaders/PLYLoader.js';
import { STLLoader } from 'three/addons/loaders/STLLoader.js';

export interface ModelView {
  /** Ends the drawing and gives the memory of the card back. */
  unmount(): void;
}

const GREY = 0xb9bcc4;
/** Radians that one arrow key turns, and the factor of one plus or minus. */
const TURN = Math.PI / 16;
const ZOOM = 1.15;

/** Throws what reading the file throws; a model that needs a decoder of its own, such as Draco's, is not read. */
export async function mountModel(canvas: HTMLCanvasElement, file: ArrayBuffer, format: string): Promise<ModelView> {
  const model = await readModel(file, format);
  const renderer = new WebGLRenderer({ canvas, antialias: true, alpha: true });
  const scene = new Scene();
  const sun = new DirectionalLight(0xffffff, 2.2);
  sun.position.set(3, 5, 4);
  scene.add(model, new HemisphereLight(0xffffff, 0x8a8f99, 1.6), new AmbientLight(0xffffff, 0.3), sun);

  const { center, radius } = placeOf(model);
  const camera = new PerspectiveCamera(40, 1, radius / 100, radius * 100);
  const distance = (radius / Math.sin((camera.fov * Math.PI) / 360)) * 1.15;
  camera.position.copy(center).add(new Vector3(0.7, 0.45, 1).normalize().multiplyScalar(distance));
  const controls = new OrbitControls(camera, canvas);
  controls.target.copy(center);

  // Drawn when something changed, not all the time.
  const draw = (): void => renderer.render(scene, camera);
  const fit = (): void => {
    const { clientWidth: width, clientHeight: height } = canvas;
    if (width === 0 || height === 0) return;
    renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
    renderer.setSize(width, height, false);
    camera.aspect = width / height;
    camera.updateProjectionMatrix();
    draw();
  };
  controls.addEventListener('change', draw);
  const watcher = new ResizeObserver(fit);
  watcher.observe(canvas);
  controls.update();
  fit();

  const press = (event: KeyboardEvent): void => {
    const [turn = 0, tilt = 0, zoom = 1] =
      { ArrowLeft: [-TURN], ArrowRight: [TURN], ArrowUp: [0, -TURN], ArrowDown: [0, TURN], '+': [0, 0, 1 / ZOOM], '-': [0, 0, ZOOM] }[
        event.key
      ] ?? [];
    if (turn === 0 && tilt === 0 && zoom === 1) return;
    // The arrows turn the model here, and lead to no other file.
    event.preventDefault();
    event.stopPropagation();
    const at = new Spherical().setFromVector3(camera.position.clone().sub(controls.target));
    at.theta += turn;
    at.phi = Math.max(0.05, Math.min(Math.PI - 0.05, at.phi + tilt));
    at.radius *= zoom;
    camera.position.setFromSpherical(at).add(controls.target);
    controls.update();
  };
  canvas.addEventListener('keydown', press);

  return {
    unmount() {
      watcher.disconnect();
      canvas.removeEventListener('keydown', press);
      controls.dispose();
      scene.traverse((part) => {
        if (part instanceof Mesh) (part.geometry as BufferGeometry).dispose();
      });
      renderer.dispose();
    },
  };
}

// --- helpers ---

async function readModel(file: ArrayBuffer, format: string): Promise<Object3D> {
  switch (format) {
    case 'glb': {
      const loader = new GLTFLoader();
      // Textures inside the file come through <img>: the other way is a fetch of a blob, which the policy refuses.
      loader.register((parser) => {
        parser.textureLoader = new TextureLoader(parser.options.manager);
        return { name: 'textures-by-image' };
      });
      return (await loader.parseAsync(file, '')).scene;
    }
    case 'stl':
      return surface(new STLLoader().parse(file));
    case 'ply':
      return surface(new PLYLoader().parse(file));
    case 'obj':
      return new OBJLoader().parse(new TextDecoder().decode(file));
    default:
      throw new Error(`A model of the kind ${format} can not be shown here.`);
  }
}

function surface(geometry: BufferGeometry): Object3D {
  if (!geometry.hasAttribute('normal')) geometry.computeVertexNormals();
  const hasColours = geometry.hasAttribute('color');
  const material = new MeshStandardMaterial({ color: hasColours ? 0xffffff : GREY, vertexColors: hasColours, roughness: 0.8 });
  return new Group().add(new Mesh(geometry, material));
}

function placeOf(model: Object3D): { readonly center: Vector3; readonly radius: number } {
  const box = new Box3().setFromObject(model);
  const radius = box.isEmpty() ? 1 : box.getSize(new Vector3()).length() / 2;
  return { center: box.isEmpty() ? new Vector3() : box.getCenter(new Vector3()), radius: radius === 0 ? 1 : radius };
}
