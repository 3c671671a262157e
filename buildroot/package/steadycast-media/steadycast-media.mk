################################################################################
#
# steadycast-media
#
################################################################################

STEADYCAST_MEDIA_VERSION = 0.1.0
STEADYCAST_MEDIA_SITE = $(BR2_EXTERNAL_STEADYCAST_PATH)/../firmware/media
STEADYCAST_MEDIA_SITE_METHOD = local
STEADYCAST_MEDIA_LICENSE = Apache-2.0
STEADYCAST_MEDIA_DEPENDENCIES = \
	host-pkgconf \
	gstreamer1 \
	gst1-plugins-base \
	jansson \
	libsamplerate

# The tests' programs are of no use on the box.
STEADYCAST_MEDIA_ROLES = encode transmit

ifeq ($(BR2_PACKAGE_STEADYCAST_MEDIA_SRT),y)
STEADYCAST_MEDIA_DEPENDENCIES += libsrt
STEADYCAST_MEDIA_CONF_OPTS += -Dsrt=enabled
STEADYCAST_MEDIA_ROLES += output
else
STEADYCAST_MEDIA_CONF_OPTS += -Dsrt=disabled
endif

STEADYCAST_MEDIA_NINJA_OPTS = \
	$(foreach role,$(STEADYCAST_MEDIA_ROLES),$(role)/$(role))

# Warnings of compilers that this was not written with are no errors.
STEADYCAST_MEDIA_CONF_OPTS += -Dwerror=false

# The build folder is "build" or "buildroot-build", by the age of the tree.
define STEADYCAST_MEDIA_INSTALL_TARGET_CMDS
	$(foreach role,$(STEADYCAST_MEDIA_ROLES), \
		$(INSTALL) -D -m 0755 $(@D)/*build/$(role)/$(role) \
			$(TARGET_DIR)/usr/lib/steadycast/media/$(role)/$(role)
	)
endef

$(eval $(meson-package))
