include $(sort $(wildcard $(BR2_EXTERNAL_STEADYCAST_PATH)/package/*/*.mk))
