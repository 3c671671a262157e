/** What v4l2-ctl 1.22 prints on stdout for `--list-ctrls`, the format and `--query-dv-timings` with several drivers. */

/** TC358743 (tc358743.c): 1080p60 with sound at 48 kHz. The sub-device. */
export const tc358743 = `	Active width: 1920
	Active height: 1080
	Total width: 2200
	Total height: 1125
	Frame format: progressive
	Polarities: -vsync -hsync
	Pixelclock: 148500000 Hz (60.00 frames per second)
	Horizontal frontporch: 0
	Horizontal sync: 280
	Horizontal backporch: 0
	Vertical frontporch: 0
	Vertical sync: 45
	Vertical backporch: 0
	Standards: 
	Flags: 
ioctl: VIDIOC_SUBDEV_G_FMT (pad=0)
	Width/Height      : 1920/1080
	Mediabus Code     : 0x200f (MEDIA_BUS_FMT_UYVY8_1X16)
	Field             : None
	Colorspace        : SMPTE 170M
	Transfer Function : Default (maps to Rec. 709)
	YCbCr/HSV Encoding: Default (maps to ITU-R 601)
	Quantization      : Default (maps to Limited Range)

User Controls

            audio_sampling_rate 0x00982980 (int)    : min=0 max=768000 step=1 default=0 value=48000 flags=read-only
                  audio_present 0x00982981 (bool)   : default=0 value=1 flags=read-only

Image Processing Controls

                 link_frequency 0x009f0901 (intmenu): min=0 max=0 default=0 value=0 (486000000 0x1cf7c580) flags=read-only

Digital Video Controls

                  power_present 0x00a00964 (bitmask): max=0x00000001 default=0x00000000 value=1 flags=read-only, volatile
`;

/** The same with nothing plugged in: the query fails, and what is printed of it says nothing. */
export const tc358743Unplugged = `	Active width: 0
	Active height: 0
	Total width: 0
	Total height: 0
	Frame format: progressive
	Polarities: -vsync -hsync
	Pixelclock: 0 Hz
	Horizontal frontporch: 0
	Horizontal sync: 0
	Horizontal backporch: 0
	Vertical frontporch: 0
	Vertical sync: 0
	Vertical backporch: 0
	Standards: 
	Flags: 
ioctl: VIDIOC_SUBDEV_G_FMT (pad=0)
	Width/Height      : 640/480
	Mediabus Code     : 0x1018 (MEDIA_BUS_FMT_RGB888_1X24)
	Field             : None
	Colorspace        : sRGB
	Transfer Function : Default (maps to sRGB)
	YCbCr/HSV Encoding: Default (maps to ITU-R 601)
	Quantization      : Default (maps to Full Range)

User Controls

            audio_sampling_rate 0x00982980 (int)    : min=0 max=768000 step=1 default=0 value=0 flags=read-only
                  audio_present 0x00982981 (bool)   : default=0 value=0 flags=read-only

Digital Video Controls

                  power_present 0x00a00964 (bitmask): max=0x00000001 default=0x00000000 value=0 flags=read-only, volatile
`;

/** ADV7611 (adv7604.c): 1080i59.94, told as the standard's timings with the flag; no word of sound. */
export const adv7611Interlaced = `	Active width: 1920
	Active height: 1080
	Total width: 2200
	Total height: 1125
	Frame format: interlaced
	Polarities: +vsync +hsync
	Pixelclock: 74250000 Hz (60.00 fields per second)
	Horizontal frontporch: 88
	Horizontal sync: 44
	Horizontal backporch: 148
	Field 1:
	Vertical frontporch: 2
	Vertical sync: 5
	Vertical backporch: 15
	Field 2:
	Vertical frontporch: 2
	Vertical sync: 5
	Vertical backporch: 16
	Standards: CTA-861
	CTA-861 VIC: 5
	Flags: framerate can be reduced by 1/1.001, framerate is reduced by 1/1.001, half-line, CE-video, has CTA-861 VIC
ioctl: VIDIOC_SUBDEV_G_FMT (pad=0)
	Width/Height      : 1920/1080
	Mediabus Code     : 0x2025 (MEDIA_BUS_FMT_YUV8_1X24)
	Field             : Alternating
	Colorspace        : Rec. 709
	Transfer Function : Default (maps to Rec. 709)
	YCbCr/HSV Encoding: Default (maps to Rec. 709)
	Quantization      : Default (maps to Limited Range)

User Controls

                     brightness 0x00980900 (int)    : min=-128 max=127 step=1 default=0 value=-7 flags=slider
                       contrast 0x00980901 (int)    : min=0 max=255 step=1 default=128 value=128 flags=slider

Digital Video Controls

                  power_present 0x00a00964 (bitmask): max=0x00000001 default=0x00000000 value=1 flags=read-only
      rx_rgb_quantization_range 0x00a00965 (menu)   : min=0 max=2 default=0 value=0 (Automatic)
            rx_it_content_type 0x00a00966 (menu)   : min=0 max=4 default=4 value=4 (No IT Content) flags=read-only, volatile
`;

/** HDMI-RX of the RK3588 (snps_hdmirx.c): 2160p30 in RGB. The video device; two planes of controls. */
export const hdmirx = `	Active width: 3840
	Active height: 2160
	Total width: 4400
	Total height: 2250
	Frame format: progressive
	Polarities: +vsync +hsync
	Pixelclock: 297000000 Hz (30.00 frames per second)
	Horizontal frontporch: 176
	Horizontal sync: 88
	Horizontal backporch: 296
	Vertical frontporch: 8
	Vertical sync: 10
	Vertical backporch: 72
	Standards: CTA-861
	CTA-861 VIC: 95
	HDMI VIC: 1
	Flags: framerate can be reduced by 1/1.001, CE-video, has CTA-861 VIC, has HDMI VIC
Format Video Capture Multiplanar:
	Width/Height      : 3840/2160
	Pixel Format      : 'BGR3' (24-bit BGR 8-8-8)
	Field             : None
	Number of planes  : 1
	Flags             : premultiplied-alpha, 0x000000fe
	Colorspace        : sRGB
	Transfer Function : Default (maps to sRGB)
	YCbCr/HSV Encoding: Default (maps to ITU-R 601)
	Quantization      : Full Range
	Plane 0           :
	   Bytes per Line : 11520
	   Size Image     : 24883200

Digital Video Controls

                  power_present 0x00a00964 (bitmask): max=0x00000001 default=0x00000000 value=0x00000001 flags=read-only
      rx_rgb_quantization_range 0x00a00965 (menu)   : min=0 max=2 default=0 value=0 (Automatic) flags=read-only
`;

/** stderr of a query that fails. Before 6.x, sub-devices of some kernels do not know SUBDEV_QUERYCAP. */
export const queryFails = (words: string) =>
  `VIDIOC_SUBDEV_QUERYCAP: failed: Inappropriate ioctl for device\nVIDIOC_QUERY_DV_TIMINGS: failed: ${words}\n`;
