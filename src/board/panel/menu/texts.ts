/** The words of the front panel's menu. A language that lacks one does not compile. */
import type { PanelConfig } from "../../../config/schema.ts";
import type { ChannelState } from "./host.ts";

export type Language = PanelConfig["language"];

export interface Texts {
  menu: string;
  back: string;
  state: string;
  states: Record<ChannelState, string>;
  input: string;
  bitrate: string;
  start: string;
  stop: string;
  settings: string;
  preset: string;
  inputs: string;
  signal: string;
  alarms: string;
  noAlarms: string;
  network: string;
  noNetwork: string;
  firmware: string;
  version: string;
  slot: string;
  serial: string;
  reboot: string;
  factoryReset: string;
  resetPassword: string;
  passwordLost: string;
  newPassword: string;
  /** What a factory reset does, and the second question. */
  allLost: string;
  reallyReset: string;
  language: string;
  about: string;
  findMe: string;
  blinking: string;
  yes: string;
  no: string;
  on: string;
  off: string;
  /** Of an empty or missing value. */
  none: string;
  add: string;
  remove: string;
  apply: string;
  type: string;
  /** What a change does to a channel on air. */
  effects: { encoder: string; transmit: string; network: string };
  wait: string;
  refused: string;
  failed: string;
  deletes: string;
  inserts: string;
  locked: string;
  pin: string;
  wrongPin: string;
  /** @param seconds until the next attempt */
  waitFor(seconds: number): string;
  /** Labels of settings by their English ones; what is missing stays English. */
  labels: Readonly<Record<string, string>>;
}

/** Each language by its own name. */
export const languageNames: Record<Language, string> = {
  en: "English",
  de: "Deutsch",
  fr: "Français",
  es: "Español",
};

const en: Texts = {
  menu: "Menu",
  back: "Back",
  state: "State",
  states: {
    stopped: "stopped",
    starting: "starting",
    live: "on air",
    held: "picture held",
    slate: "slate",
    failed: "failed",
  },
  input: "Input",
  bitrate: "Bitrate",
  start: "Start",
  stop: "Stop",
  settings: "Settings",
  preset: "Preset",
  inputs: "Inputs",
  signal: "Signal",
  alarms: "Alarms",
  noAlarms: "No alarms",
  network: "Network",
  noNetwork: "No address",
  firmware: "Firmware",
  version: "Version",
  slot: "Slot",
  serial: "Serial number",
  reboot: "Reboot",
  factoryReset: "Factory reset",
  resetPassword: "New admin password",
  passwordLost: "The old one is lost",
  newPassword: "Log in as",
  allLost: "All settings are lost",
  reallyReset: "Really reset?",
  language: "Language",
  about: "About",
  findMe: "Find me",
  blinking: "The lights are blinking",
  yes: "Yes",
  no: "No",
  on: "On",
  off: "Off",
  none: "-",
  add: "Add",
  remove: "Remove",
  apply: "Apply",
  type: "Type",
  effects: { encoder: "Picture pauses briefly", transmit: "Receivers may pause briefly", network: "Web page may move" },
  wait: "Please wait",
  refused: "Not changed",
  failed: "Failed",
  deletes: "Deletes the character",
  inserts: "Inserts a character",
  locked: "locked",
  pin: "PIN",
  wrongPin: "Wrong PIN",
  waitFor: (seconds) => `Try again in ${seconds} s`,
  labels: {},
};

const de: Texts = {
  menu: "Menü",
  back: "Zurück",
  state: "Zustand",
  states: {
    stopped: "gestoppt",
    starting: "startet",
    live: "auf Sendung",
    held: "Standbild",
    slate: "Ersatzbild",
    failed: "ausgefallen",
  },
  input: "Eingang",
  bitrate: "Bitrate",
  start: "Starten",
  stop: "Stoppen",
  settings: "Einstellungen",
  preset: "Vorgabe",
  inputs: "Eingänge",
  signal: "Signal",
  alarms: "Alarme",
  noAlarms: "Keine Alarme",
  network: "Netzwerk",
  noNetwork: "Keine Adresse",
  firmware: "Firmware",
  version: "Version",
  slot: "Slot",
  serial: "Seriennummer",
  reboot: "Neustart",
  factoryReset: "Werkseinstellungen",
  resetPassword: "Neues Admin-Passwort",
  passwordLost: "Das alte geht verloren",
  newPassword: "Anmelden als",
  allLost: "Alle Einstellungen gehen verloren",
  reallyReset: "Wirklich zurücksetzen?",
  language: "Sprache",
  about: "Über das Gerät",
  findMe: "Gerät finden",
  blinking: "Die Leuchten blinken",
  yes: "Ja",
  no: "Nein",
  on: "Ein",
  off: "Aus",
  none: "-",
  add: "Hinzufügen",
  remove: "Entfernen",
  apply: "Übernehmen",
  type: "Art",
  effects: {
    encoder: "Bild setzt kurz aus",
    transmit: "Empfänger setzen evtl. kurz aus",
    network: "Webseite zieht evtl. um",
  },
  wait: "Bitte warten",
  refused: "Nicht geändert",
  failed: "Fehlgeschlagen",
  deletes: "Löscht das Zeichen",
  inserts: "Fügt ein Zeichen ein",
  locked: "gesperrt",
  pin: "PIN",
  wrongPin: "Falsche PIN",
  waitFor: (seconds) => `Neuer Versuch in ${seconds} s`,
  labels: {
    Address: "Adresse",
    Audio: "Ton",
    Box: "Gerät",
    "Box name": "Gerätename",
    Channels: "Kanäle",
    Connector: "Anschluss",
    "Dim after": "Abdunkeln nach",
    Enabled: "Aktiv",
    "Frame rate": "Bildrate",
    Height: "Höhe",
    Inputs: "Eingänge",
    Interface: "Schnittstelle",
    Interlaced: "Zeilensprung",
    Language: "Sprache",
    "Lock after": "Sperren nach",
    Loss: "Signalverlust",
    "Maximum bitrate": "Höchste Bitrate",
    "On air": "Auf Sendung",
    Outputs: "Ausgänge",
    Panel: "Bedienfeld",
    Source: "Quelle",
    Width: "Breite",
  },
};

const fr: Texts = {
  menu: "Menu",
  back: "Retour",
  state: "État",
  states: {
    stopped: "arrêtée",
    starting: "démarrage",
    live: "à l'antenne",
    held: "image figée",
    slate: "mire",
    failed: "en panne",
  },
  input: "Entrée",
  bitrate: "Débit",
  start: "Démarrer",
  stop: "Arrêter",
  settings: "Réglages",
  preset: "Préréglage",
  inputs: "Entrées",
  signal: "Signal",
  alarms: "Alarmes",
  noAlarms: "Aucune alarme",
  network: "Réseau",
  noNetwork: "Aucune adresse",
  firmware: "Micrologiciel",
  version: "Version",
  slot: "Emplacement",
  serial: "Numéro de série",
  reboot: "Redémarrer",
  factoryReset: "Réglages d'usine",
  resetPassword: "Nouveau mot de passe",
  passwordLost: "L'ancien est perdu",
  newPassword: "Se connecter",
  allLost: "Tous les réglages seront perdus",
  reallyReset: "Vraiment réinitialiser ?",
  language: "Langue",
  about: "À propos",
  findMe: "Repérer l'appareil",
  blinking: "Les voyants clignotent",
  yes: "Oui",
  no: "Non",
  on: "Oui",
  off: "Non",
  none: "-",
  add: "Ajouter",
  remove: "Supprimer",
  apply: "Appliquer",
  type: "Type",
  effects: {
    encoder: "Brève coupure de l'image",
    transmit: "Brève coupure possible en réception",
    network: "La page web peut changer d'adresse",
  },
  wait: "Veuillez patienter",
  refused: "Non modifié",
  failed: "Échec",
  deletes: "Efface le caractère",
  inserts: "Insère un caractère",
  locked: "verrouillé",
  pin: "Code PIN",
  wrongPin: "Code PIN erroné",
  waitFor: (seconds) => `Réessayez dans ${seconds} s`,
  labels: {
    Address: "Adresse",
    Audio: "Son",
    Bitrate: "Débit",
    Box: "Appareil",
    "Box name": "Nom de l'appareil",
    Channels: "Chaînes",
    Connector: "Connecteur",
    "Dim after": "Assombrir après",
    Enabled: "Actif",
    "Frame rate": "Cadence",
    Height: "Hauteur",
    Inputs: "Entrées",
    Interlaced: "Entrelacé",
    Language: "Langue",
    "Lock after": "Verrouiller après",
    Loss: "Perte du signal",
    "Maximum bitrate": "Débit maximal",
    Name: "Nom",
    "On air": "À l'antenne",
    Outputs: "Sorties",
    Panel: "Façade",
    Video: "Vidéo",
    Width: "Largeur",
  },
};

const es: Texts = {
  menu: "Menú",
  back: "Atrás",
  state: "Estado",
  states: {
    stopped: "parado",
    starting: "arrancando",
    live: "en el aire",
    held: "imagen fija",
    slate: "carta",
    failed: "averiado",
  },
  input: "Entrada",
  bitrate: "Tasa de bits",
  start: "Iniciar",
  stop: "Parar",
  settings: "Ajustes",
  preset: "Preajuste",
  inputs: "Entradas",
  signal: "Señal",
  alarms: "Alarmas",
  noAlarms: "Sin alarmas",
  network: "Red",
  noNetwork: "Sin dirección",
  firmware: "Firmware",
  version: "Versión",
  slot: "Partición",
  serial: "Número de serie",
  reboot: "Reiniciar",
  factoryReset: "Ajustes de fábrica",
  resetPassword: "Nueva contraseña",
  passwordLost: "La anterior se pierde",
  newPassword: "Entrar como",
  allLost: "Se pierden todos los ajustes",
  reallyReset: "¿Restablecer de verdad?",
  language: "Idioma",
  about: "Acerca de",
  findMe: "Localizar el equipo",
  blinking: "Las luces parpadean",
  yes: "Sí",
  no: "No",
  on: "Sí",
  off: "No",
  none: "-",
  add: "Añadir",
  remove: "Quitar",
  apply: "Aplicar",
  type: "Tipo",
  effects: {
    encoder: "Breve corte de imagen",
    transmit: "Posible breve corte en recepción",
    network: "La página web puede cambiar de dirección",
  },
  wait: "Espere",
  refused: "Sin cambios",
  failed: "Error",
  deletes: "Borra el carácter",
  inserts: "Inserta un carácter",
  locked: "bloqueado",
  pin: "PIN",
  wrongPin: "PIN incorrecto",
  waitFor: (seconds) => `Reintente en ${seconds} s`,
  labels: {
    Address: "Dirección",
    Bitrate: "Tasa de bits",
    Box: "Equipo",
    "Box name": "Nombre del equipo",
    Channels: "Canales",
    Connector: "Conector",
    "Dim after": "Atenuar tras",
    Enabled: "Activo",
    "Frame rate": "Imágenes por segundo",
    Height: "Altura",
    Inputs: "Entradas",
    Interface: "Interfaz",
    Interlaced: "Entrelazado",
    Language: "Idioma",
    "Lock after": "Bloquear tras",
    Loss: "Pérdida de señal",
    "Maximum bitrate": "Tasa máxima",
    Name: "Nombre",
    "On air": "En el aire",
    Outputs: "Salidas",
    Panel: "Panel frontal",
    Port: "Puerto",
    Source: "Fuente",
    Video: "Vídeo",
    Width: "Anchura",
  },
};

/** Every language of the panel. */
export const texts: Record<Language, Texts> = { en, de, fr, es };

export const labelIn = (words: Texts, label: string): string => words.labels[label] ?? label;
